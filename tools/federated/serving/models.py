"""Specifications and experts of the installed models, read from disk at each call."""

from __future__ import annotations

import importlib.util
from functools import partial

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.serving.expert import TrainedClassifier
from edgewright.tools.federated.serving.installed import InstalledModel, installed_models
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.exports import RUNTIME
from edgewright.tools.models.specification import ModelSpec
from edgewright.tools.settings import engine


def trained_models() -> list[ModelSpec]:
    """Return the specifications of the installed models."""
    return [_specification(model) for model in installed_models()]


def _specification(model: InstalledModel) -> ModelSpec:
    name, loader = model.manifest.model, partial(_load, model)
    if runs_exported(model):
        return ModelSpec(id=name, title=name, loader=loader, packages=(RUNTIME,))
    return ModelSpec(
        id=name,
        title=name,
        loader=loader,
        packages=("torch", "torchvision", "safetensors"),
        other_obstacle=_no_sandbox,
    )


def runs_exported(model: InstalledModel) -> bool:
    """Return whether a model's exported graph runs here, and not its code in the sandbox."""
    if model.graph is None or engine() == "torch":
        return False
    return engine() == "onnx" or importlib.util.find_spec(RUNTIME) is not None


def trained_experts() -> list[TrainedClassifier]:
    """Return the experts of the installed models."""
    return [TrainedClassifier(model.manifest) for model in installed_models()]


def _load(model: InstalledModel, *, threads: int | None) -> PartitionAdapter:
    if runs_exported(model):
        from edgewright.tools.federated.serving.adapter import ExportedNetwork

        return ExportedNetwork(model, threads)
    from edgewright.tools.federated.serving.adapter import SandboxedNetwork

    return SandboxedNetwork(model)


def _no_sandbox() -> str:
    """Return why no sandbox can run the code of trained models; empty if one can."""
    from edgewright.tools.sandbox.backends import find_sandbox

    try:
        find_sandbox()
    except UnavailableError as error:
        return error.message
    return ""
