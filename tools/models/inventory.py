"""What models there are, for people: those that can be installed, and those that can be run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgewright.tools.models.catalogue import CatalogueModel
from edgewright.tools.models.exports import exported_revision
from edgewright.tools.models.installed import InstalledManifest, read_installed
from edgewright.tools.models.specification import ModelSpec

Json = dict[str, Any]


def list_catalogue(models: Iterable[CatalogueModel]) -> list[Json]:
    """List models that can be installed, as JSON values."""
    return [catalogue_entry(model, read_installed(model.name)) for model in models]


def list_models(specs: Iterable[ModelSpec]) -> list[Json]:
    """List the models that can be run, and what others need, as JSON values."""
    found = []
    for spec in specs:
        folder = spec.found_export() if spec.exportable else None
        found.append(
            {
                "model": spec.id,
                "revision": exported_revision(folder) if folder else "",
                "folder": str(folder or ""),
                "bytes": bytes_in(folder) if folder else 0,
                "obstacle": spec.obstacle(),
            }
        )
    return found


def catalogue_entry(model: CatalogueModel, manifest: InstalledManifest | None) -> Json:
    """Return what is known of a model of the catalogue, as JSON values.

    Args:
        model: The model.
        manifest: What is installed of it; None if nothing is.
    """
    licence = None if manifest is None else manifest.path / "LICENCE"
    return {
        "name": model.name,
        "title": model.title,
        "serves": model.serves,
        "licence": model.licence,
        "packed_by": model.packed_by,
        "default": model.default,
        "installed": manifest is not None,
        "source": manifest.source if manifest else " or ".join(str(one) for one in model.sources),
        "bytes": manifest.bytes if manifest else 0,
        "expected_bytes": int(model.keeps_mb * 1e6),
        "folder": str(manifest.path) if manifest else "",
        "licence_file": str(licence) if licence is not None and licence.is_file() else "",
    }


def bytes_in(folder: Path) -> int:
    """Return the size of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
