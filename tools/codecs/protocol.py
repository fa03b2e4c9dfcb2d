"""The feature codec protocol, implemented by quantised and learned codecs."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edgewright.tools.errors import InputError
from edgewright.tools.models.adapter import Features


class FeatureCodec(Protocol):
    """Encodes features at one partition point to bytes, and decodes them.

    Attributes:
        name: Short name used in arms and reports, e.g. ``quantised8``.
        model: Id of the model the codec is for.
        point: Partition point the codec is for.
        resume_point: Point at which the model resumes with the decoded features: ``point``, unless
            the codec includes tuned blocks that replace some of the model's.
        shape: Shape of the features, without the batch dimension.
        fingerprint: First 8 bytes of a SHA-256 over everything that both sides must share; frames
            with another fingerprint are rejected.
    """

    name: str
    model: str
    point: int
    resume_point: int
    shape: tuple[int, ...]
    fingerprint: bytes

    def encode(self, features: Features) -> bytes:
        """Encode features to a payload.

        Args:
            features: float32 of ``shape``.

        Raises:
            InputError: The shape is wrong (``features_shape``), or values are not finite
                (``features_not_finite``).
        """
        ...

    def decode(self, payload: bytes) -> Features:
        """Decode a payload to float32 features at ``resume_point``.

        Raises:
            FrameError: ``encode`` cannot have produced the payload (``frame_payload``).
        """
        ...


def check_features(features: Features, shape: tuple[int, ...]) -> None:
    """Check features before they are encoded.

    Args:
        features: Output of the head.
        shape: Shape that the codec expects.

    Raises:
        InputError: The shape is wrong (``features_shape``), or values are not finite
            (``features_not_finite``).
    """
    if features.shape != shape:
        raise InputError(
            f"features have shape {features.shape}, but the codec expects {shape}",
            code="features_shape",
        )
    if not np.isfinite(features).all():
        raise InputError(
            "features contain values that are not finite; check the image and the model's weights",
            code="features_not_finite",
        )
