"""The training loop: resumable after every epoch, and safe to break off at any moment."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from edgewright.tools.errors import InputError
from edgewright.tools.storage.atomic import write_file

_WARM_UP = 0.1
_CLIP = 1.0
#: How much faster priors and gains are trained: they are few and have far to go.
_FASTER = 10


@dataclass(frozen=True)
class EpochProgress:
    """Where a training is.

    Attributes:
        stage: Name of the stage.
        step: Steps done.
        steps: Steps in all.
        loss: Loss of the last step.
    """

    stage: str
    step: int
    steps: int
    loss: float


ReportProgress = Callable[[EpochProgress], None]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast is trained.

    Attributes:
        epochs: Passes over the samples.
        batch: Samples a step.
        rate: Highest learning rate; it warms up over a tenth of the steps, then follows a cosine.
        decay: Weight decay.
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 0.0


def fast_products(shape: Sequence[int]) -> AbstractContextManager[object]:
    """Return a context in which a transformer's matrix products are computed in bfloat16.

    That takes a third of the time where the processor has instructions for it; elsewhere nothing
    changes, nor for feature maps, whose depthwise convolutions would take longer. Sums and losses
    do not belong into it.

    Args:
        shape: Of the features without the batch dimension, ``[tokens, channels]`` for a
            transformer.
    """
    supported = torch.cpu._is_avx512_bf16_supported()
    return torch.autocast("cpu", torch.bfloat16, enabled=supported and len(shape) == 2)


def fit(
    stage: str,
    module: torch.nn.Module,
    loss_of: Callable[[torch.Tensor], torch.Tensor],
    *,
    samples: int,
    schedule: Schedule,
    seed: int,
    checkpoint: Path,
    report: ReportProgress,
    faster: Sequence[torch.nn.Parameter] = (),
) -> None:
    """Train those parameters of a module that ask for gradients.

    After every epoch the state is written to ``checkpoint``; called again with the same arguments,
    the training goes on there and ends as if it had never been broken off.

    Args:
        stage: Name, for progress and to tell checkpoints apart.
        module: What is trained.
        loss_of: Loss of a batch, given the indices of its samples (int64 ``[B]``).
        samples: Number of samples; must be at least one batch.
        schedule: How long and how fast.
        seed: Of the order of samples and of every other random choice.
        checkpoint: File to write to and resume from.
        report: Told after every step.
        faster: Parameters of the module that are trained at ten times the rate, without decay.

    Raises:
        InputError: The checkpoint belongs to another training (``checkpoint_mismatch``).
    """
    torch.manual_seed(seed)
    known = {id(weight) for weight in faster}
    trained = [weight for weight in module.parameters() if weight.requires_grad]
    usual = [weight for weight in trained if id(weight) not in known]
    groups = [{"params": usual, "weight_decay": schedule.decay, "pace": 1}]
    if faster:
        groups.append({"params": list(faster), "weight_decay": 0.0, "pace": _FASTER})
    optimiser = torch.optim.AdamW(groups, lr=schedule.rate)
    identity = f"{stage} {samples} {schedule} {seed}"
    done = _resume(checkpoint, identity, module, optimiser)
    per_epoch = samples // schedule.batch
    steps = schedule.epochs * per_epoch
    for epoch in range(done, schedule.epochs):
        for number, indices in enumerate(_batches(samples, schedule.batch)):
            step = epoch * per_epoch + number
            for group in optimiser.param_groups:
                group["lr"] = group["pace"] * schedule.rate * _pace(step / steps)
            loss = loss_of(indices)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(usual, _CLIP)
            optimiser.step()
            report(EpochProgress(stage, step + 1, steps, loss.item()))
        _save(checkpoint, identity, epoch + 1, module, optimiser)


def _batches(samples: int, batch: int) -> Iterator[torch.Tensor]:
    order = torch.randperm(samples)
    for start in range(0, samples - batch + 1, batch):
        yield order[start : start + batch]


def _pace(share: float) -> float:
    """Return the share of the highest learning rate after a share of all steps."""
    if share < _WARM_UP:
        return max(share, 0.001) / _WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP))


def _save(
    checkpoint: Path,
    identity: str,
    epochs: int,
    module: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    state = {
        "identity": identity,
        "epochs": epochs,
        "module": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": torch.get_rng_state(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_file(checkpoint, buffer.getvalue())


def _resume(
    checkpoint: Path, identity: str, module: torch.nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """Take over what a checkpoint holds, if there is one; return the epochs behind it."""
    if not checkpoint.exists():
        return 0
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    if state["identity"] != identity:
        raise InputError(
            f"{checkpoint.name} is of another training; give another folder, or remove it",
            code="checkpoint_mismatch",
        )
    module.load_state_dict(state["module"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    return int(state["epochs"])
