"""The models that perception needs, and whether they can run here; imports no engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from edgewright.tools.models.exports import RUNTIME
from edgewright.tools.models.installed import read_installed

#: Names of models in the catalogue, by what they are for.
DETECTOR, SECOND_DETECTOR = "nanodet", "ssd-openimages"
POSE, FACE_DETECTOR, EXPRESSION = "movenet-thunder", "face-detector", "facial-expression"
TEXT_READER = "text-recognition"
SMALL_POSE = "movenet-lightning"


def perception_obstacle(models: Iterable[str]) -> str:
    """Return why installed models cannot run here, with the fix; empty if they can.

    Args:
        models: Names of the models in the catalogue.
    """
    if importlib.util.find_spec(RUNTIME) is None:
        return "ONNX Runtime is not installed: pip install 'edgewright[onnx]'"
    missing = " ".join(name for name in models if read_installed(name) is None)
    return f"not installed: run 'edgewright models install {missing}'" if missing else ""
