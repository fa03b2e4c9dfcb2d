"""A client's part of a round: train on its own samples, encode the update, store its state."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.client_state import ClientState
from edgewright.tools.federated.app.compression import compress, decompress
from edgewright.tools.federated.app.control import Correction, pull
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.app.privacy import budgets
from edgewright.tools.federated.app.private_training import private_steps, spend_round
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import (
    frozen_modules,
    head_names,
    read_arrays,
    tensor_names,
    to_vector,
    write_arrays,
)
from edgewright.tools.federated.records.candidate import Corrected
from edgewright.tools.federated.records.local_privacy import DpSgd

_SEEDS = 2**31


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
    task: LearningTask, settings: AppSettings, instruction: TrainInstruction, *, client: int
) -> LocalResult:
    """Train one client for one round.

    A personal head starts as the mean of the client's own head and the global one: the former alone
    overfits for clients with few samples, the latter alone forgets the client.

    Args:
        task: The slots' functions.
        settings: The app's settings.
        instruction: The server's instruction.
        client: Partition id of the client.
    """
    shard = load_shard(Path(settings.data), client)
    model = new_model(task, settings)
    strategy, number = settings.strategy, instruction.round_number
    corrected = isinstance(strategy, Corrected)
    state = ClientState(
        Path(settings.out) / "clients" / str(client),
        number,
        keep=settings.keep_checkpoints,
        of_round=instruction.admitted_of(client) if corrected else None,
    )
    before = {
        name: np.asarray(instruction.arrays[name], np.float32) for name in tensor_names(model)
    }
    head = {name: (before[name] + own) / 2 for name, own in state.head.items()}
    write_arrays(model, before | head)
    seed_everything(settings.seed, number, client)
    correction = None
    if isinstance(strategy, Corrected):
        correction = Correction(strategy, before, state.correction, instruction.control)
    if isinstance(settings.local_privacy, DpSgd):
        spend_round(state.folder, settings.local_privacy)
        loss, accuracy = fit_privately(task, settings, model, shard, number)
    else:
        loss, accuracy = fit(task, settings, model, shard, number, correction)
    update = to_vector(read_arrays(model, list(before))) - to_vector(before)
    if correction is not None:
        update = correction.extended(update)
    sizes = [value.size for value in before.values()] * strategy.vectors
    payload, residual = compress(update, settings.compression, sizes, state.residual)
    tuned = read_arrays(model, head_names(model)) if settings.personal_head else {}
    own = None
    if correction is not None:
        own = correction.state_after(decompress(payload, settings.compression, sizes))
    state.save(tuned, residual, own)
    hidden = bool(budgets(strategy, settings.local_privacy))
    return LocalResult(
        payload=payload,
        samples=len(shard.labels),
        loss=0.0 if hidden else loss,
        accuracy=0.0 if hidden else accuracy,
    )


def fit(
    task: LearningTask,
    settings: AppSettings,
    model: nn.Module,
    shard: Shard,
    round_number: int,
    correction: Correction | None = None,
) -> tuple[float, float]:
    """Train a model in place; return the loss and accuracy of the last epoch."""
    model.train()
    for module in frozen_modules(model).values():
        module.eval()  # so that its running statistics are frozen too
    rate = float(task.learning_rate(round_number, settings.rounds))
    optimiser = task.build_optimiser([p for p in model.parameters() if p.requires_grad], rate)
    weight = settings.proximal + pull(settings.strategy)
    anchor = [p.detach().clone() for p in model.parameters()] if weight else []
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
            (loss + _proximal_term(model, anchor, weight)).backward()  # type: ignore[no-untyped-call]
            if correction is not None:
                correction.apply(model)
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
