"""Dry run of a candidate on a batch of noise: checks that it builds, runs and learns."""

from __future__ import annotations

import importlib
import math
from typing import Any

from edgewright.tools.federated.app.privacy import budgets
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.trial import ModelFacts
from edgewright.tools.federated.sandboxed.program import (
    FaultError,
    ProgramContext,
    fault_of,
    respond,
    start_program,
)

_BATCH = 8
#: The second step shows the effect of the first on the weights.
_STEPS = 2


def main() -> None:
    """Print the model's measurements, or the first fault."""
    context = start_program()
    try:
        respond(facts=_dry_run(context).model_dump())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())


def _dry_run(context: ProgramContext) -> ModelFacts:
    torch = importlib.import_module("torch")
    learner = importlib.import_module("edgewright.tools.federated.app.learner")
    weights = importlib.import_module("edgewright.tools.federated.app.weights")
    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode
    task = importlib.import_module("federated_app.task").TASK
    settings = context.settings
    _check_schedule(task, settings)
    model = learner.new_model(task, settings)
    _require(isinstance(model, torch.nn.Module), "shape", "model",
          "'build_model' must return a torch.nn.Module")  # fmt: skip
    parameters = sum(p.numel() for p in model.parameters())
    limit = int(context.extra["parameters"])
    _require(bool(weights.tensor_names(model)), "not_learning", "model",
          "the model has no trainable weights")  # fmt: skip
    _require(parameters <= limit, "too_large", "model",
          f"the model has {parameters} weights, more than the limit of {limit}")  # fmt: skip
    _check_settings(settings, model, weights)
    batch = min(_BATCH, max(2, settings.batch_size))
    images = torch.rand(batch, settings.channels, settings.height, settings.width)
    labels = torch.arange(batch) % settings.classes
    shard = learner.Shard(images=images, labels=labels, persons=labels)
    _check_batch(task, model, images, settings, torch)
    before = [p.detach().clone() for p in model.parameters()]
    steps, fit = _shortened(settings, batch), learner.fit
    if isinstance(settings.local_privacy, DpSgd):
        fit = learner.fit_privately
    with counter(display=False) as flops:
        loss, _ = fit(task, steps, model, shard, 1)
    finite = math.isfinite(loss) and all(bool(p.isfinite().all()) for p in model.parameters())
    _require(finite, "not_finite", "optimiser",
          f"after a step the loss is {loss} or a weight is not finite; lower the learning "
          "rate")  # fmt: skip
    changed = any(
        not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)
    )
    _require(changed, "not_learning", "optimiser", "an optimiser step changed no weight")
    arrays = weights.read_arrays(model, weights.tensor_names(model))
    return ModelFacts(
        parameters=parameters,
        weight_bytes=sum(value.nbytes for value in arrays.values()),
        flop_per_sample=flops.get_total_flops() / (batch * _STEPS),
    )


def _shortened(settings: AppSettings, batch: int) -> AppSettings:
    """Return the settings of a few steps over one batch."""
    changed: dict[str, Any] = {"local_epochs": _STEPS, "batch_size": batch}
    if isinstance(settings.local_privacy, DpSgd):
        # A batch of noise is a single client with few samples, so its noise is left out.
        few = {"local_steps": _STEPS, "sample_rate": 1.0, "noise_multiplier": 1e-6}
        changed["local_privacy"] = settings.local_privacy.model_copy(update=few)
    return settings.model_copy(update=changed)


def _check_schedule(task: Any, settings: AppSettings) -> None:
    for number in {1, (settings.rounds + 1) // 2, settings.rounds}:
        rate = task.learning_rate(number, settings.rounds)
        valid = isinstance(rate, int | float) and math.isfinite(rate) and rate > 0
        _require(valid, "shape", "schedule",
              f"'learning_rate' returned {rate!r} for round {number}; it must return a "
              "positive number")  # fmt: skip


def _check_settings(settings: AppSettings, model: Any, weights: Any) -> None:
    if settings.personal_head:
        _require(bool(weights.head_names(model)), "no_head", "model",
              "a personal head requires a model whose last layer is an nn.Linear")  # fmt: skip
    if budgets(settings.strategy, settings.local_privacy):
        names = {name for name, _ in model.named_parameters()}
        _require(names >= set(weights.tensor_names(model)), "forbidden", "model",
              "batch normalisation's running statistics do not survive private noise; use "
              "nn.GroupNorm")  # fmt: skip


def _check_batch(task: Any, model: Any, images: Any, settings: AppSettings, torch: Any) -> None:
    augmented = task.augment(images)
    same = isinstance(augmented, torch.Tensor) and augmented.shape == images.shape
    _require(same and augmented.dtype == torch.float32, "shape", "augmentation",
          f"'augment' returned {_describe(augmented)} for {_describe(images)}; it must preserve "
          "shape and type")  # fmt: skip
    if isinstance(settings.local_privacy, DpSgd):
        _require(torch.equal(augmented, images), "forbidden", "augmentation",
              "'augment' must return the images unchanged with DP-SGD, since it could mix "
              "them")  # fmt: skip
    model.eval()
    with torch.no_grad():
        logits = model(images)
    expected = (len(images), settings.classes)
    valid = isinstance(logits, torch.Tensor) and tuple(logits.shape) == expected
    _require(valid and logits.dtype == torch.float32, "shape", "model",
          f"the model returned {_describe(logits)} for {_describe(images)}; it must return float32 "
          f"logits of shape {expected}")  # fmt: skip
    model.train()
    optimiser = task.build_optimiser(list(model.parameters()), 0.01)
    _require(isinstance(optimiser, torch.optim.Optimizer), "shape", "optimiser",
          f"'build_optimiser' returned {_describe(optimiser)}; it must return a "
          "torch.optim.Optimizer")  # fmt: skip


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"{value.dtype} {tuple(shape)}"


def _require(condition: bool, code: Any, slot: str, message: str) -> None:
    if not condition:
        raise FaultError(code, message, slot)


if __name__ == "__main__":
    main()
