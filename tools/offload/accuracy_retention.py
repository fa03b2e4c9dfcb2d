"""Accuracy retention of encodings, measured in advance on hundreds of images.

``make bench-accuracy-retention`` writes ``accuracy_retention.json`` beside this module. A node that
profiles a model with a few photographs of its own takes the values from there, provided that it has
the same weights and codecs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.contracts.arms import ImageCodec, Precision
from edgewright.tools.models.adapter import PartitionAdapter

ACCURACY_RETENTION = "accuracy_retention.json"
#: Key of a model at another precision than ``fp32``, where nothing is encoded.
WHOLE = "whole"
#: Image encodings that are measured.
IMAGE_ENCODINGS: tuple[tuple[ImageCodec, int | None], ...] = (
    ("png", None),
    *(("jpeg", quality) for quality in (50, 80, 90, 95)),
    *(("webp", quality) for quality in (50, 80, 90, 95)),
    *(("avif", quality) for quality in (40, 60, 80, 90, 95)),
)


def known_accuracy_retention(
    model: str, revision: str, precision: Precision = "fp32", fingerprint: str = ""
) -> Mapping[str, float]:
    """Return a model's accuracy retention by encoding key; empty if it was not measured.

    Args:
        model: Model id.
        revision: Fingerprint of its weights.
        precision: Precision at which it runs.
        fingerprint: Fingerprint of its quantisation; empty for ``fp32``.
    """
    key = model_key(model, revision, precision, fingerprint)
    stored: Mapping[str, float] = _stored()["models"].get(key, {})
    return stored


def model_key(
    model: str, revision: str, precision: Precision = "fp32", fingerprint: str = ""
) -> str:
    """Return the key of a model at a precision."""
    return " ".join([model, revision, *([precision, fingerprint] if fingerprint else [])])


def image_key(image_codec: str, quality: int | None) -> str:
    """Return the key of an image encoding."""
    return image_codec if quality is None else f"{image_codec} {quality}"


def codec_key(codec: FeatureCodec) -> str:
    """Return the key of a feature codec, which covers its partition point, tables and weights."""
    return f"{codec.point} {codec.name} {codec.fingerprint.hex()}"


def encodings_fingerprint(
    adapter: PartitionAdapter, codecs_at: Callable[[int], Mapping[str, FeatureCodec]]
) -> str:
    """Return a fingerprint of the engine, all encodings, and their stored accuracy retention.

    A stored profile is invalid once this has changed.

    Args:
        adapter: The model.
        codecs_at: Returns the feature codecs of a partition point by name.
    """
    points = range(1, len(adapter.block_names))
    codecs = [codec_key(codec) for point in points for codec in codecs_at(point).values()]
    model, revision = adapter.model, adapter.revision
    stored = [sorted(known_accuracy_retention(model, revision).items())]
    for precision, variant in adapter.variants.items():
        known = known_accuracy_retention(model, revision, precision, variant.fingerprint)
        stored.append([(precision + variant.fingerprint, 0.0), *sorted(known.items())])
    images = [image_key(*encoding) for encoding in IMAGE_ENCODINGS]
    identity = json.dumps([adapter.engine.model_dump(), codecs, images, stored])
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


@cache
def _stored() -> dict[str, Any]:
    text = (files("edgewright.tools.offload") / ACCURACY_RETENTION).read_text("utf-8")
    return dict(json.loads(text))
