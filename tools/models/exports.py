"""The exported models of this machine: where they are, which of them apply, and making them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from edgewright.tools.errors import UnavailableError
from edgewright.tools.settings import cache_folder
from edgewright.tools.storage.locks import exclusive

#: Import names of the packages that run and that make exported models.
RUNTIME, WRITER = "onnxruntime", "onnx"
_PROGRAM = "edgewright.tools.models.exporting"
_MAX_EXPORT_S = 600.0


def export_folder(model: str) -> Path:
    """Return the folder of a model's export, which may not exist."""
    return cache_folder() / "models" / model


def find_export(model: str, source: str | None) -> Path | None:
    """Return the folder of a model's export; None if there is none that applies.

    Imports nothing heavy, so that a light client can call it.

    Args:
        model: Model id.
        source: Identity of the weights that the export must have; None accepts any, since the
            export may have been copied to a machine without the weights.
    """
    manifest = _manifest(model)
    applies = manifest is not None and source in (None, manifest.get("source"))
    return export_folder(model) if applies else None


def exported_revision(model: str) -> str:
    """Return the revision of a model's export; empty if there is none."""
    return str((_manifest(model) or {}).get("revision", ""))


def _manifest(model: str) -> dict[str, Any] | None:
    """Return the manifest's values unchecked; None if there is none for this model."""
    try:
        values = json.loads((export_folder(model) / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) and values.get("model") == model else None


def make_export(model: str, source: str) -> Path:
    """Export a model to its folder, unless another process has just done so.

    A process that has not imported PyTorch leaves that to a process of its own, and remains small.

    Args:
        model: Model id.
        source: Identity of its weights.

    Returns:
        The folder.

    Raises:
        UnavailableError: The model cannot be exported (``export_failed``).
    """
    folder = export_folder(model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(folder.with_name(f".{model}.lock")):
        if found := find_export(model, source):
            return found
        if "torch" in sys.modules:
            importlib.import_module(_PROGRAM).export_model(model, folder)
        else:
            _run_program(model, folder)
    return folder


def _run_program(model: str, folder: Path) -> None:
    command = [sys.executable, "-P", "-m", _PROGRAM, model, str(folder)]
    run = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=_MAX_EXPORT_S, check=False
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnavailableError(f"{model} cannot be exported: {reason}", code="export_failed")
