"""The training loop: it can be interrupted at any time and resumes after the last full epoch."""

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
#: Learning-rate factor of priors and gains: they are few and far from their optimum.
_FAST_FACTOR = 10


@dataclass(frozen=True)
class EpochProgress:
    """Progress of a training run.

    Attributes:
        stage: Name of the stage.
        step: Number of completed steps.
        steps: Total number of steps.
        loss: Loss of the last step.
    """

    stage: str
    step: int
    steps: int
    loss: float


ReportProgress = Callable[[EpochProgress], None]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Training schedule.

    Attributes:
        epochs: Passes over the samples.
        batch: Samples per step.
        rate: Peak learning rate; it warms up over a tenth of the steps, then follows a cosine.
        decay: Weight decay.
    """

    epochs: int
    batch: int
    rate: float
    decay: float = 0.0


def bfloat16_products(shape: Sequence[int]) -> AbstractContextManager[object]:
    """Return a context in which a transformer's matrix products are computed in bfloat16.

    This takes a third of the time on processors with bfloat16 instructions. It has no effect on
    other processors, nor for feature maps, whose depthwise convolutions would take longer. Do not
    compute sums and losses in this context.

    Args:
        shape: Shape of the features without the batch dimension; ``[tokens, channels]`` for a
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
    """Train the parameters of a module that require gradients.

    After every epoch the state is written to ``checkpoint``. A further call with the same arguments
    resumes there, with the same result as an uninterrupted run.

    Args:
        stage: Name of the stage, for progress reports and the checkpoint's identity.
        module: The module to train.
        loss_of: Returns the loss of a batch, given the indices of its samples (int64 ``[B]``).
        samples: Number of samples; at least one batch.
        schedule: The training schedule.
        seed: Seed of the sample order and all other random choices.
        checkpoint: File to write to and resume from.
        report: Called after each step.
        faster: Parameters of the module that are trained at ten times the learning rate, without
            weight decay.

    Raises:
        InputError: The checkpoint belongs to another training run (``checkpoint_mismatch``).
    """
    torch.manual_seed(seed)
    fast_ids = {id(weight) for weight in faster}
    trained = [weight for weight in module.parameters() if weight.requires_grad]
    regular = [weight for weight in trained if id(weight) not in fast_ids]
    groups = [{"params": regular, "weight_decay": schedule.decay, "pace": 1}]
    if faster:
        groups.append({"params": list(faster), "weight_decay": 0.0, "pace": _FAST_FACTOR})
    optimiser = torch.optim.AdamW(groups, lr=schedule.rate)
    identity = f"{stage} {samples} {schedule} {seed}"
    done = _resume(checkpoint, identity, module, optimiser)
    per_epoch = samples // schedule.batch
    steps = schedule.epochs * per_epoch
    for epoch in range(done, schedule.epochs):
        for number, indices in enumerate(_batches(samples, schedule.batch)):
            step = epoch * per_epoch + number
            for group in optimiser.param_groups:
                group["lr"] = group["pace"] * schedule.rate * _rate_factor(step / steps)
            loss = loss_of(indices)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(regular, _CLIP)
            optimiser.step()
            report(EpochProgress(stage, step + 1, steps, loss.item()))
        _save(checkpoint, identity, epoch + 1, module, optimiser)


def _batches(samples: int, batch: int) -> Iterator[torch.Tensor]:
    order = torch.randperm(samples)
    for start in range(0, samples - batch + 1, batch):
        yield order[start : start + batch]


def _rate_factor(share: float) -> float:
    """Return the learning-rate factor after a share of all steps."""
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
    """Load the checkpoint, if it exists; return the number of completed epochs."""
    if not checkpoint.exists():
        return 0
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    if state["identity"] != identity:
        raise InputError(
            f"{checkpoint.name} belongs to another training run; use another folder or remove it",
            code="checkpoint_mismatch",
        )
    module.load_state_dict(state["module"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    return int(state["epochs"])
