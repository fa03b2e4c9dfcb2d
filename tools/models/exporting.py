"""Exporting a model of the registry; also a program, for processes that stay without PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.models.catalogue_models import CatalogueSpec
from edgewright.tools.models.engines.onnx.manifest import ExportManifest
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.export import export_chain
from edgewright.tools.models.registry import ModelRegistry


def export_model(model: str, folder: Path) -> ExportManifest:
    """Export a built-in model with the configured weights.

    Args:
        model: Model id.
        folder: Folder to write or replace.

    Raises:
        NotFoundError: There is no such model (``unknown_model``).
        UnavailableError: It cannot be loaded, or not be exported (``export_failed``).
    """
    spec = ModelRegistry().get(model)
    if not spec.exportable:
        raise UnavailableError(f"{model} cannot be exported", code="export_failed")
    if spec.exporter is not None or isinstance(spec, CatalogueSpec):
        return spec.export_to(folder)
    chain = cast(Chain, spec.load_original())
    return export_chain(chain, folder, source=spec.source_identity(), licence=spec.licence)


def main() -> int:
    """Export a model, named by the first argument, to the folder in the second."""
    model, folder = sys.argv[1:]
    try:
        export_model(model, Path(folder))
    except EdgewrightError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
