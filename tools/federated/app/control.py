"""SCAFFOLD and FedDyn: client and server states that keep clients which differ from drifting apart.

With several local steps, clients whose data differ run towards their own optima, and the mean of
these is not the common optimum. Both methods let each client keep the gradient of its own loss, so
that a step can be corrected by how it differs from the common one.

- SCAFFOLD (Karimireddy et al., 2020): a client keeps the mean of its gradients in the last round it
  took part in, c_i, and the server the clients' mean, c. Each gradient is corrected by c - c_i. The
  mean of the gradients is the paper's option II for plain gradient descent, and needs no learning
  rate, so that any optimiser can be used.
- FedDyn (Acar et al., 2021): a client's loss is shifted by - h_i w and pulled to the common model
  w_t with weight alpha; h_i becomes h_i - alpha (w_i - w_t). The server adds to a round's mean
  update the sum of all rounds' updates, each weighted by the share of the samples that took part.

Means are weighted by samples, as in FedAvg. If an update is lost or not admitted, its client starts
again from the state that the server knows of, so that the sums of both sides stay equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgewright.tools.federated.app.guard import Update
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import Arrays, from_vector, to_vector
from edgewright.tools.federated.records.candidate import Corrected, FedDyn, Scaffold, Strategy

Vector = NDArray[np.float32]


class Correction:
    """A client's correction of its gradients in one round.

    Args:
        strategy: The strategy.
        before: Tensors of the global model.
        own: The client's state, float32 [W]; None at first.
        common: The server's control variate; empty with FedDyn, and at first.
    """

    def __init__(
        self,
        strategy: Corrected,
        before: Arrays,
        own: Vector | None,
        common: Mapping[str, NDArray[np.float32]],
    ) -> None:
        self._strategy, self._like = strategy, before
        self._own = np.zeros_like(to_vector(before)) if own is None else own
        shift = -self._own
        if common:
            shift = shift + to_vector({name: common[name] for name in before})
        self._shift = {
            name: torch.from_numpy(value.copy())
            for name, value in from_vector(shift, before).items()
        }
        self._sums = {name: torch.zeros_like(value) for name, value in self._shift.items()}
        self._steps = 0

    def apply(self, model: nn.Module) -> None:
        """Correct the gradients that are in a model's parameters."""
        self._steps += 1
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and name in self._shift:
                self._sums[name] += parameter.grad
                parameter.grad += self._shift[name]

    def extended(self, update: Vector) -> Vector:
        """Return the update with what else the server needs: SCAFFOLD's change of the state."""
        if not isinstance(self._strategy, Scaffold):
            return update
        means = {name: self._sums[name].numpy() / max(1, self._steps) for name in self._like}
        return np.concatenate([update, to_vector(means).astype(np.float32) - self._own])

    def state_after(self, sent: Vector) -> Vector:
        """Return the client's new state, from the update as the server decodes it."""
        if isinstance(self._strategy, FedDyn):
            return self._own - np.float32(self._strategy.alpha) * sent
        return self._own + sent[len(self._own) :]


def pull(strategy: Strategy) -> float:
    """Return the weight of the proximal term that is part of a strategy."""
    return strategy.alpha if isinstance(strategy, FedDyn) else 0.0


class ServerControl:
    """The server's part of SCAFFOLD and FedDyn; other strategies have none.

    Attributes:
        state: float32 arrays for checkpoints; empty for other strategies.

    Args:
        settings: The app's settings.
        trainable: bool [W]; other entries are running statistics, which are only averaged.
        state: The ``state`` of an earlier instance, to resume from.
    """

    def __init__(
        self, settings: AppSettings, trainable: NDArray[np.bool_], state: Mapping[str, Vector]
    ) -> None:
        self._strategy, self._trainable = settings.strategy, trainable
        self._samples = settings.samples
        self.state: dict[str, Vector] = {}
        if isinstance(settings.strategy, Corrected):
            empty = {
                "control": np.zeros(len(trainable), np.float32),
                "admitted": np.zeros(settings.clients, np.float32),
                "largest": np.zeros(1, np.float32),
            }
            self.state = {name: state.get(name, value) for name, value in empty.items()}

    @property
    def active(self) -> bool:
        """Whether clients correct their gradients."""
        return bool(self.state)

    @property
    def largest(self) -> float:
        """Largest median norm of the clients' changes of state so far, for the guard."""
        return float(self.state["largest"][0]) if self.active else 0.0

    @property
    def admitted(self) -> list[int]:
        """The round in which each client's update was last admitted; 0 for none."""
        return [int(number) for number in self.state["admitted"]]

    def common(self, like: Arrays) -> Arrays:
        """Return what clients need of the state: SCAFFOLD's control variate."""
        scaffold = isinstance(self._strategy, Scaffold)
        return from_vector(self.state["control"], like) if scaffold else {}

    def step(self, combined: Vector, updates: Sequence[Update], number: int) -> Vector:
        """Take the admitted updates of a round into the state, and return the model's step.

        Args:
            combined: Mean of the updates, weighted by samples.
            updates: The admitted updates.
            number: Number of the round.
        """
        strategy = self._strategy
        if not isinstance(strategy, Scaffold | FedDyn):
            return combined
        taken = self.state["admitted"].copy()
        taken[[update.client for update in updates]] = number
        self.state["admitted"] = taken
        if isinstance(strategy, FedDyn):
            present = sum(update.samples for update in updates) / self._samples
            control = self.state["control"] + np.float32(present) * combined
            step = combined + control
        else:
            control = self.state["control"].copy()
            for update in updates:
                control += np.float32(update.samples / self._samples) * update.control
            largest = max(self.largest, float(np.median([each.control_norm for each in updates])))
            self.state["largest"] = np.array([largest], np.float32)
            step = np.float32(strategy.server_learning_rate) * combined
        self.state["control"] = np.where(self._trainable, control, np.float32(0))
        return np.where(self._trainable, step, combined).astype(np.float32)
