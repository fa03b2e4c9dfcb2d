"""The exported models of this machine: where they are, which of them apply, and making them."""

from __future__ import annotations

import hashlib
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
#: Version of the format; exports of another one do not apply.
FORMAT = 2
_PROGRAM = "edgewright.tools.models.exporting"
_MAX_EXPORT_S = 600.0


def export_folder(model: str, source: str = "") -> Path:
    """Return the folder of a model's export, which may not exist.

    Args:
        model: Model id.
        source: Identity of its weights; exports of different ones do not replace each other.
    """
    suffix = f"-{hashlib.sha256(source.encode()).hexdigest()[:8]}" if source else ""
    return cache_folder() / "models" / f"{model}{suffix}"


def find_export(model: str, source: str | None) -> Path | None:
    """Return the folder of a model's export; None if there is none that applies.

    Imports nothing heavy, so that a light client can call it.

    Args:
        model: Model id.
        source: Identity of the weights that the export must have; None accepts any, since the
            export may have been copied to a machine without the weights.
    """
    for folder in dict.fromkeys([export_folder(model, source or ""), export_folder(model)]):
        manifest = _manifest(folder)
        if manifest.get("model") == model and source in (None, manifest.get("source")):
            return folder
    return None


def exported_revision(folder: Path) -> str:
    """Return the revision of an export; empty if there is none."""
    return str(_manifest(folder).get("revision", ""))


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest's values unchecked; none if there is none of this format."""
    try:
        values = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) and values.get("format") == FORMAT else {}


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
    folder = export_folder(model, source)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(folder.with_name(f".{folder.name}.lock")):
        if found := find_export(model, source):
            return found
        if "torch" in sys.modules:
            importlib.import_module(_PROGRAM).export_model(model, folder)
        else:
            _run_program(model, folder)
    return folder


def _run_program(model: str, folder: Path) -> None:
    command = [sys.executable, "-P", "-m", _PROGRAM, model, str(folder)]
    try:
        run = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_MAX_EXPORT_S, check=False
        )
    except subprocess.TimeoutExpired:
        reason = f"it takes more than {_MAX_EXPORT_S:.0f} s"
    else:
        if not run.returncode:
            return
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
    raise UnavailableError(f"{model} cannot be exported: {reason}", code="export_failed")
