"""Labelled pictures in memory, brought to one size, and how one picture is brought to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Longest side that pictures keep; what lies above is detail that small models cannot use.
MAX_SIDE = 96
MIN_SIDE = 8


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A data set before it is split.

    Attributes:
        name: What it is called.
        images: uint8 [N, H, W, C] with C = 1 or 3.
        labels: int64 [N], index into ``classes``.
        classes: Class names.
        original_side: Median of the longer side before resizing, in pixels.
        test: bool [N], the samples of a test split that the set itself defines; None if none.
        attribute: str [N], what a split by attribute goes by; None if the set has none.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    original_side: int
    test: NDArray[np.bool_] | None = None
    attribute: NDArray[np.str_] | None = None


def common_side(longer_sides: list[int]) -> tuple[int, int]:
    """Choose the side that all pictures are brought to.

    Args:
        longer_sides: The longer side of each picture, in pixels.

    Returns:
        The side, and the median that it was derived from.
    """
    median = int(np.median(longer_sides))
    return min(max(median, MIN_SIDE), MAX_SIDE), median


def to_array(image: Image.Image, *, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Bring one picture to the size and channels that a model was trained on.

    Training and serving both go through here. The whole picture is kept: it is scaled, not
    cropped, so that nothing near its edge is lost.

    Args:
        image: RGB picture of any size.
        height: Pixels.
        width: Pixels.
        channels: 1 for grey, 3 for colour.

    Returns:
        uint8 [height, width, channels].
    """
    shrunk = image.convert("L" if channels == 1 else "RGB")
    if shrunk.size != (width, height):
        shrunk = shrunk.resize((width, height), Image.Resampling.BOX)
    return np.asarray(shrunk, dtype=np.uint8).reshape(height, width, channels)


def drop_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return one channel if all pictures are grey, else the same array."""
    if images.shape[-1] == 3 and bool(
        np.all(images[..., :1] == images[..., 1:2]) and np.all(images[..., :1] == images[..., 2:])
    ):
        return images[..., :1]
    return images
