"""From the clients' updates to the model's step: plain functions over vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.records.candidate import (
    FedAdam,
    FedAvgM,
    Krum,
    Median,
    MultiKrum,
    Private,
    Strategy,
    TrimmedMean,
)

Vector = NDArray[np.float32]

_ADAM_BETA_1, _ADAM_BETA_2, _ADAM_TAU = 0.9, 0.99, 1e-3


def combine(
    updates: Sequence[Vector],
    samples: Sequence[int],
    strategy: Strategy,
    *,
    asked: int,
    noise: np.random.Generator,
) -> Vector:
    """Combine updates into one.

    Args:
        updates: One float32 [W] per admitted client, in a fixed order of the clients: sums of
            floats depend on it.
        samples: The clients' sample counts.
        strategy: How.
        asked: Clients that were asked. Replies that are missing or were dropped count against
            the hostile clients that the strategy is made to bear.
        noise: For the private strategy; seeded by the operating system, never by the run.
    """
    hostile = max(0, strategy.tolerates(asked) - (asked - len(updates)))
    if isinstance(strategy, TrimmedMean):
        return trimmed_mean(updates, hostile)
    if isinstance(strategy, Median):
        return median(updates)
    if isinstance(strategy, Krum):
        several = max(1, len(updates) - hostile - 2) if hostile else len(updates)
        chosen = krum(updates, hostile, several if isinstance(strategy, MultiKrum) else 1)
        return mean([updates[i] for i in chosen], [samples[i] for i in chosen])
    if isinstance(strategy, Private):
        return private_mean(updates, strategy, asked, noise)
    return mean(updates, samples)


def mean(updates: Sequence[Vector], weights: Sequence[int]) -> Vector:
    """Average by weights, one vector at a time so that only one more is held in memory."""
    total = float(sum(weights))
    result = updates[0] * np.float32(weights[0] / total)
    scaled = np.empty_like(result)
    for update, weight in zip(updates[1:], weights[1:], strict=True):
        np.multiply(update, np.float32(weight / total), out=scaled)
        result += scaled
    return result


def median(updates: Sequence[Vector]) -> Vector:
    """Take the median of each weight."""
    middle: Vector = np.median(np.stack(updates), axis=0).astype(np.float32)
    return middle


def trimmed_mean(updates: Sequence[Vector], cut: int) -> Vector:
    """Average each weight without its ``cut`` lowest and ``cut`` highest values."""
    ordered = np.sort(np.stack(updates), axis=0)
    kept: Vector = ordered[cut : len(updates) - cut].mean(axis=0, dtype=np.float32)
    return kept


def krum(updates: Sequence[Vector], hostile: int, select: int) -> list[int]:
    """Rank clients by the squared distance to their ``n - hostile - 2`` nearest neighbours.

    Returns:
        The ``select`` best, in the order of the clients.
    """
    count = len(updates)
    distances = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            gap = (updates[i] - updates[j]).astype(np.float64)
            distances[i, j] = distances[j, i] = float(gap @ gap)
    near = max(1, count - hostile - 2)
    scores = np.sort(distances, axis=1)[:, 1 : near + 1].sum(axis=1)
    return sorted(int(i) for i in np.argsort(scores, kind="stable")[:select])


def private_mean(
    updates: Sequence[Vector], strategy: Private, asked: int, noise: np.random.Generator
) -> Vector:
    """Clip each update, sum, add Gaussian noise, divide by the clients that were asked.

    A client that is missing adds nothing to the sum, so no client moves the sum by more than
    ``clipping_norm``, whoever replies: this is the sensitivity that ``privacy`` accounts for.
    """
    total = noise.normal(
        scale=strategy.noise_multiplier * strategy.clipping_norm, size=len(updates[0])
    )
    for update in updates:
        norm = float(np.linalg.norm(update.astype(np.float64)))
        total += update * min(1.0, strategy.clipping_norm / max(norm, 1e-12))
    return (total / asked).astype(np.float32)


class ServerOptimiser:
    """Turns the combined update into the model's step; remembers what momentum needs.

    Args:
        strategy: FedAvgM and FedAdam step in their own way, all others take the update as it is.
        trainable: bool [W]; running statistics are averaged and never extrapolated, or a
            variance could become negative.
        state: What an earlier ``state`` returned, to go on from there.
    """

    def __init__(
        self, strategy: Strategy, trainable: NDArray[np.bool_], state: dict[str, Vector]
    ) -> None:
        self._strategy = strategy
        self._trainable = trainable
        self.state = dict(state)

    def step(self, update: Vector) -> Vector:
        """Return what is added to the model's weights."""
        if isinstance(self._strategy, FedAvgM):
            momentum = self._remembered("momentum", update)
            momentum = np.float32(self._strategy.server_momentum) * momentum + update
            self.state["momentum"] = momentum
            step = np.float32(self._strategy.server_learning_rate) * momentum
        elif isinstance(self._strategy, FedAdam):
            step = self._adam(update, self._strategy.server_learning_rate)
        else:
            return update
        return np.where(self._trainable, step, update).astype(np.float32)

    def _adam(self, update: Vector, learning_rate: float) -> Vector:
        first = self._remembered("first", update) * np.float32(_ADAM_BETA_1)
        first += np.float32(1 - _ADAM_BETA_1) * update
        second = self._remembered("second", update) * np.float32(_ADAM_BETA_2)
        second += np.float32(1 - _ADAM_BETA_2) * update * update
        self.state.update(first=first, second=second)
        step: Vector = np.float32(learning_rate) * first / (np.sqrt(second) + np.float32(_ADAM_TAU))
        return step

    def _remembered(self, name: str, like: Vector) -> Vector:
        return self.state.get(name, np.zeros_like(like))
