"""Models of the catalogue that can be cut: they run as they were installed, in ONNX Runtime."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.catalogue import catalogue
from edgewright.tools.models.exports import RUNTIME
from edgewright.tools.models.installed import check_installed, read_installed
from edgewright.tools.models.specification import ModelSpec

if TYPE_CHECKING:
    from edgewright.tools.models.engines.onnx.manifest import ExportManifest


@dataclass(frozen=True, kw_only=True)
class CatalogueSpec(ModelSpec):
    """Specification of a model that ``edgewright models install`` installs."""

    def load(self, *, threads: int | None = None) -> PartitionAdapter:
        """Load the model; each process loads it once.

        Args:
            threads: Number of threads that run each operation; None leaves the engine's default.

        Raises:
            UnavailableError: It is not installed (``model_not_installed``) or damaged
                (``model_damaged``), or ONNX Runtime is missing (``model_missing``).
        """
        if obstacle := self.obstacle():
            missing = read_installed(self.id) is None
            code = "model_not_installed" if missing else "model_missing"
            raise UnavailableError(f"{self.title}: {obstacle}", code=code)
        from edgewright.tools.models.engines.onnx.adapter import load

        manifest = read_installed(self.id)
        assert manifest is not None
        check_installed(manifest)
        return load(manifest.path, threads)

    def load_original(self, *, threads: int | None = None) -> PartitionAdapter:
        """Load the model; there is no other form of it. See ``load``."""
        return self.load(threads=threads)

    def export_to(self, folder: Path) -> ExportManifest:
        """Refuse: it is installed in the form of an export.

        Raises:
            UnavailableError: Always (``export_failed``).
        """
        raise UnavailableError(
            f"{self.id} is exported when it is installed; copy the folder of models instead "
            "(EDGEWRIGHT_MODELS)",
            code="export_failed",
        )

    def source_identity(self) -> str:
        """Return nothing: the catalogue names its source."""
        return ""

    def obstacle(self) -> str:
        """Return why the model cannot run on this machine, with the fix; empty if it can."""
        if importlib.util.find_spec(RUNTIME) is None:
            return "ONNX Runtime is not installed: pip install 'edgewright[onnx]'"
        if read_installed(self.id) is None:
            return f"not installed: run 'edgewright models install {self.id}'"
        return ""

    def found_export(self) -> Path | None:
        """Return the folder with its graphs; None if it is not installed."""
        manifest = read_installed(self.id)
        return None if manifest is None else manifest.path


def catalogue_models() -> tuple[CatalogueSpec, ...]:
    """Return the specifications of all models of the catalogue that can be cut."""
    return tuple(
        CatalogueSpec(
            id=model.name,
            title=model.title,
            loader=_never,
            packages=(RUNTIME,),
            exportable=True,
            licence=model.licence,
        )
        for model in catalogue().values()
        if model.cut
    )


def _never(*arguments: object, **options: object) -> PartitionAdapter:
    raise AssertionError("models of the catalogue are loaded by their specification")
