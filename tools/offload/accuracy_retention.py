"""Accuracy retention of encodings, measured in advance on hundreds of images.

``make bench-accuracy-retention`` writes ``accuracy_retention.json`` beside this module. A node that
profiles a model with a few photographs of its own takes the values from there, provided that it has
the same weights and codecs.
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
    """Return a model's accuracy retention by encoding key; empty if it was not measured.

    Args:
        model: Model id.
        revision: Fingerprint of its weights.
    """
    stored: Mapping[str, float] = _stored()["models"].get(model_key(model, revision), {})
    return stored


def model_key(model: str, revision: str) -> str:
    """Return the key of a model."""
    return f"{model} {revision}"


def image_key(image_codec: str, quality: int | None) -> str:
    """Return the key of an image encoding."""
    return image_codec if quality is None else f"{image_codec} {quality}"


def codec_key(codec: FeatureCodec) -> str:
    """Return the key of a feature codec, which covers its partition point, tables and weights."""
    return f"{codec.point} {codec.name} {codec.fingerprint.hex()}"


@cache
def _stored() -> dict[str, Any]:
    text = (files("edgewright.tools.offload") / ACCURACY_RETENTION).read_text("utf-8")
    return dict(json.loads(text))
