"""The feature codec's one small protocol; learned codecs implement it too."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError

Features = NDArray[np.float32]


class FeatureCodec(Protocol):
    """Turns features at one partition point into bytes and back.

    Attributes:
        name: Short name used in arms and reports, e.g. ``quantised8``.
        model: Model the codec was made for.
        point: Partition point it was made for.
        resume_point: Point at which the model goes on with what ``decode`` returns: ``point``,
            unless the codec brings tuned blocks of its own that take the place of the model's.
        shape: Shape of the features without the batch dimension.
        fingerprint: First 8 bytes of the SHA-256 over model, revision, point, shape and tables;
            frames with another fingerprint are refused.
    """

    name: str
    model: str
    point: int
    resume_point: int
    shape: tuple[int, ...]
    fingerprint: bytes

    def encode(self, features: Features) -> bytes:
        """Code features into a payload.

        Args:
            features: float32 of ``shape``.

        Raises:
            InputError: Wrong shape, or values that are not finite (code ``features_not_finite``).
        """
        ...

    def decode(self, payload: bytes) -> Features:
        """Decode a payload into float32 features at ``resume_point``.

        Raises:
            FrameError: The payload is not one that ``encode`` can have made.
        """
        ...


def check_features(features: Features, shape: tuple[int, ...]) -> None:
    """Check what is to be coded.

    Args:
        features: What the head computed.
        shape: What the codec is for.

    Raises:
        InputError: Another shape (``features_shape``), or values that are not finite
            (``features_not_finite``).
    """
    if features.shape != shape:
        raise InputError(
            f"the features have the shape {features.shape}, the codec is for {shape}",
            code="features_shape",
        )
    if not np.isfinite(features).all():
        raise InputError(
            "the features hold values that are not finite; the picture or the weights are damaged",
            code="features_not_finite",
        )
