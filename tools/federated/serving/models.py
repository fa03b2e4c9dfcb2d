"""Specifications and experts of the installed models, read from disk at each call."""

from __future__ import annotations

from functools import partial

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.serving.expert import TrainedClassifier
from edgewright.tools.federated.serving.installed import InstalledModel, installed_models
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.specification import ModelSpec


def trained_models() -> list[ModelSpec]:
    """Return the specifications of the installed models."""
    return [
        ModelSpec(
            id=model.manifest.model,
            title=model.manifest.model,
            loader=partial(_load, model),
            packages=("torch", "torchvision", "safetensors"),
            other_obstacle=_no_sandbox,
        )
        for model in installed_models()
    ]


def trained_experts() -> list[TrainedClassifier]:
    """Return the experts of the installed models."""
    return [TrainedClassifier(model.manifest) for model in installed_models()]


def _load(model: InstalledModel, *, threads: int | None) -> PartitionAdapter:
    from edgewright.tools.federated.serving.adapter import TrainedModel

    return TrainedModel(model)


def _no_sandbox() -> str:
    """Return why no sandbox can run the code of trained models; empty if one can."""
    from edgewright.tools.sandbox.backends import find_sandbox

    try:
        find_sandbox()
    except UnavailableError as error:
        return error.message
    return ""
