"""Accuracy retention of each encoding, where it was measured on hundreds of images.

``make bench-accuracy-retention`` writes ``accuracy_retention.json`` beside this module. A node that
measures a model with its own few photographs takes the shares from there, if it has the same
weights and codecs that they were measured with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from edgewright.tools.codecs.protocol import FeatureCodec

ACCURACY_RETENTION = "accuracy_retention.json"


def known_accuracy_retention(model: str, revision: str) -> Mapping[str, float]:
    """Return the shares of accuracy that codings leave a model, by their keys; empty if unknown.

    Args:
        model: Model id.
        revision: Fingerprint of its weights.
    """
    stored: Mapping[str, float] = _stored()["models"].get(model_key(model, revision), {})
    return stored


def model_key(model: str, revision: str) -> str:
    """Return the key of a model's shares."""
    return f"{model} {revision}"


def image_key(image_codec: str, quality: int | None) -> str:
    """Return the key of a coding of pictures."""
    return image_codec if quality is None else f"{image_codec} {quality}"


def codec_key(codec: FeatureCodec) -> str:
    """Return the key of a feature codec at its partition point, with all its tables and weights."""
    return f"{codec.point} {codec.name} {codec.fingerprint.hex()}"


@cache
def _stored() -> dict[str, Any]:
    text = (files("edgewright.tools.offload") / ACCURACY_RETENTION).read_text("utf-8")
    return dict(json.loads(text))
