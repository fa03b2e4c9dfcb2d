"""A client's part of a round: train on its own samples, encode the update, store its state."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.compression import compress
from edgewright.tools.federated.app.files import state_file, state_rounds
from edgewright.tools.federated.app.privacy import budgets
from edgewright.tools.federated.app.private_training import private_steps, spend_round
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import (
    Arrays,
    frozen_modules,
    head_names,
    load_arrays,
    read_arrays,
    save_arrays,
    tensor_names,
    to_vector,
    write_arrays,
)
from edgewright.tools.federated.records.local_privacy import DpSgd

_SEEDS = 2**31
#: Prefix of the head's tensors in a client's state.
_HEAD = "head:"


@dataclass(frozen=True)
class LearningTask:
    """The four code slots of an app, as functions."""

    build_model: Callable[[int, int, int, int], nn.Module]
    augment: Callable[[torch.Tensor], torch.Tensor]
    build_optimiser: Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]
    learning_rate: Callable[[int, int], float]


@dataclass(frozen=True)
class Shard:
    """One client's training samples.

    Attributes:
        images: float32 [N, C, H, W] in 0 to 1.
        labels: int64 [N].
        persons: int64 [N], the person of each sample; None if they are not known.
    """

    images: torch.Tensor
    labels: torch.Tensor
    persons: torch.Tensor | None = None

    def units(self, unit: str) -> torch.Tensor:
        """Return the unit of each sample, int64 [N], counted from 0 without gaps.

        Args:
            unit: ``sample`` or ``person``.

        Raises:
            InputError: The persons are not known (``no_persons``).
        """
        if unit == "sample":
            return torch.arange(len(self.labels))
        if self.persons is None:
            raise InputError("the data do not say whose each sample is", code="no_persons")
        persons: torch.Tensor = torch.unique(self.persons, return_inverse=True)[1]
        return persons


@dataclass(frozen=True)
class LocalResult:
    """The result that a client sends, without its id.

    Attributes:
        payload: The encoded update.
        samples: Number of training samples.
        loss: Mean training loss in the last local epoch; 0 under differential privacy.
        accuracy: Training accuracy in the last local epoch; 0 under differential privacy.
    """

    payload: bytes
    samples: int
    loss: float
    accuracy: float


def seed_everything(*parts: int) -> None:
    """Seed all random generators from the run's seed, the round and the client.

    No random state carries over between rounds, so a resumed run draws the same numbers as an
    uninterrupted one, in every engine.
    """
    seed = int(np.random.SeedSequence(parts).generate_state(1)[0]) % _SEEDS
    random.seed(seed)
    np.random.seed(seed)  # slots may draw from the global generator
    torch.manual_seed(seed)


def to_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """Convert uint8 [N, H, W, C] to float32 [N, C, H, W] in 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


def load_shard(folder: Path, client: int) -> Shard:
    """Load one client's samples from a prepared folder.

    Raises:
        InputError: A file of the folder is missing, or has no sample of the client (``no_shard``).
    """
    names = ("train_clients.npy", "train_labels.npy", "train_images.npy")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"client {client} has no data: {', '.join(missing)} missing", code="no_shard"
        )
    own = np.load(folder / "train_clients.npy", allow_pickle=False) == client
    labels = np.load(folder / "train_labels.npy", allow_pickle=False)
    images = np.load(folder / "train_images.npy", mmap_mode="r", allow_pickle=False)
    if not own.any():
        raise InputError(f"client {client} has no training sample", code="no_shard")
    persons = folder / "train_persons.npy"
    return Shard(
        images=to_tensor(images[own]),
        labels=torch.from_numpy(labels[own]),
        persons=torch.from_numpy(np.load(persons, allow_pickle=False)[own])
        if persons.exists()
        else None,
    )


def new_model(task: LearningTask, settings: AppSettings) -> nn.Module:
    """Build the model with the initial weights of the run's seed."""
    torch.set_num_threads(1)  # floating-point sums depend on the thread count
    seed_everything(settings.seed)
    return task.build_model(settings.channels, settings.height, settings.width, settings.classes)


def train_round(
    task: LearningTask,
    settings: AppSettings,
    arrays: Mapping[str, NDArray[np.float32]],
    *,
    client: int,
    round_number: int,
) -> LocalResult:
    """Train one client for one round.

    A personal head starts as the mean of the client's own head and the global one: the former alone
    overfits for clients with few samples, the latter alone forgets the client.

    Args:
        task: The slots' functions.
        settings: The app's settings.
        arrays: Tensors of the global model.
        client: Partition id of the client.
        round_number: Number of the round, from 1.
    """
    shard = load_shard(Path(settings.data), client)
    model = new_model(task, settings)
    state = _ClientState(
        Path(settings.out) / "clients" / str(client), round_number, keep=settings.keep_checkpoints
    )
    before = {name: np.asarray(arrays[name], np.float32) for name in tensor_names(model)}
    head = {name: (before[name] + own) / 2 for name, own in state.head.items()}
    write_arrays(model, before | head)
    seed_everything(settings.seed, round_number, client)
    train = fit
    if isinstance(settings.local_privacy, DpSgd):
        spend_round(state.folder, settings.local_privacy)
        train = fit_privately
    loss, accuracy = train(task, settings, model, shard, round_number)
    update = to_vector(read_arrays(model, list(before))) - to_vector(before)
    sizes = [value.size for value in before.values()]
    payload, residual = compress(update, settings.compression, sizes, state.residual)
    tuned = read_arrays(model, head_names(model)) if settings.personal_head else {}
    state.save(tuned, residual)
    hidden = bool(budgets(settings.strategy, settings.local_privacy))
    return LocalResult(
        payload=payload,
        samples=len(shard.labels),
        loss=0.0 if hidden else loss,
        accuracy=0.0 if hidden else accuracy,
    )


def fit(
    task: LearningTask, settings: AppSettings, model: nn.Module, shard: Shard, round_number: int
) -> tuple[float, float]:
    """Train a model in place; return the loss and accuracy of the last epoch."""
    model.train()
    for module in frozen_modules(model).values():
        module.eval()  # so that its running statistics are frozen too
    rate = float(task.learning_rate(round_number, settings.rounds))
    optimiser = task.build_optimiser([p for p in model.parameters() if p.requires_grad], rate)
    anchor = [p.detach().clone() for p in model.parameters()] if settings.proximal else []
    loss_sum, correct = 0.0, 0
    for _ in range(settings.local_epochs):
        loss_sum, correct = 0.0, 0
        for batch in _batches(len(shard.labels), settings.batch_size):
            labels = shard.labels[batch]
            logits = model(task.augment(shard.images[batch]))
            loss = functional.cross_entropy(
                logits, labels, label_smoothing=settings.label_smoothing
            )
            optimiser.zero_grad()
            (loss + _proximal_term(model, anchor, settings.proximal)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            loss_sum += float(loss.detach()) * len(labels)
            correct += int((logits.argmax(dim=1) == labels).sum())
    return loss_sum / len(shard.labels), correct / len(shard.labels)


def fit_privately(
    task: LearningTask, settings: AppSettings, model: nn.Module, shard: Shard, round_number: int
) -> tuple[float, float]:
    """Train a model in place with DP-SGD; return the last loss, and no accuracy."""
    privacy = settings.local_privacy
    assert isinstance(privacy, DpSgd)
    model.train()
    for module in frozen_modules(model).values():
        module.eval()
    parameters = [p for p in model.parameters() if p.requires_grad]
    rate = float(task.learning_rate(round_number, settings.rounds))
    loss = private_steps(
        model,
        shard.images,
        shard.labels,
        shard.units(privacy.unit),
        privacy,
        label_smoothing=settings.label_smoothing,
        step=task.build_optimiser(parameters, rate).step,
    )
    return loss, 0.0


def _proximal_term(model: nn.Module, anchor: list[torch.Tensor], weight: float) -> torch.Tensor:
    """Return FedProx's proximal term: the squared distance from the global model."""
    if not anchor:
        return torch.zeros(())
    gaps = [((p - a) ** 2).sum() for p, a in zip(model.parameters(), anchor, strict=True)]
    return weight / 2 * torch.stack(gaps).sum()


def _batches(samples: int, size: int) -> list[torch.Tensor]:
    """Shuffle indices into batches, merging a final batch of one sample into the previous one.

    Batch normalisation cannot train on a single sample.
    """
    batches = list(torch.split(torch.randperm(samples), max(size, 2)))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def head_of(state: Arrays) -> Arrays:
    """Return the personal head from a client's state."""
    return {
        name.removeprefix(_HEAD): value for name, value in state.items() if name.startswith(_HEAD)
    }


class _ClientState:
    """A client's state between rounds: its personal head and its compression residual.

    States are stored per round, so that a round that is repeated after a kill starts from the same
    state.

    Args:
        folder: The client's folder.
        round_number: The round to train next.
        keep: Number of newest states to keep; 0 keeps all.
    """

    def __init__(self, folder: Path, round_number: int, *, keep: int) -> None:
        self.folder = folder
        self._round = round_number
        self._keep = keep
        stored = self._load()
        self.head = head_of(stored)
        self.residual = stored.get("residual")

    def save(self, head: Arrays, residual: NDArray[np.float32] | None) -> None:
        """Store the state for later rounds, if there is any, and remove old ones."""
        state = {_HEAD + name: value for name, value in head.items()}
        if residual is not None:
            state["residual"] = residual
        if state:
            save_arrays(state_file(self.folder, self._round), state)
        for old in state_rounds(self.folder)[: -self._keep] if self._keep else []:
            state_file(self.folder, old).unlink(missing_ok=True)

    def _load(self) -> Arrays:
        earlier = [number for number in state_rounds(self.folder) if number < self._round]
        return load_arrays(state_file(self.folder, earlier[-1])) if earlier else {}
