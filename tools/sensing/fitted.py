"""What the sensing experts were fitted to, as it ships with the package."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from edgewright.tools.errors import UnavailableError

_FOLDER = "edgewright.tools.sensing"
NAME = "sensing.safetensors"


@cache
def manifest() -> dict[str, Any]:
    """Return the manifest: recipe, sources, labels, thresholds, and how well it does."""
    text = (files(_FOLDER) / "weights" / "manifest.json").read_text("utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@cache
def tensors() -> dict[str, NDArray[np.generic]]:
    """Return all fitted arrays by name.

    Raises:
        UnavailableError: They are not those of the manifest (``model_damaged``).
    """
    content = (files(_FOLDER) / "weights" / NAME).read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest()["sha256"]:
        raise UnavailableError(
            f"{NAME} is damaged or was changed; install the package again", code="model_damaged"
        )
    return dict(load(content))


def revision() -> str:
    """Return the beginning of the digest of what was fitted."""
    return str(manifest()["sha256"])[:12]


def part(prefix: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors().items()
        if name.startswith(prefix)
    }
