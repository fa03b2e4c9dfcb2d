"""Labelled images in memory with a common size, and the conversion to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.datasets.summary import DataSummary

#: Maximum side of an image; small models cannot use more detail.
MAX_SIDE = 96
MIN_SIDE = 8


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A data set before it is split.

    Attributes:
        name: Name of the data set.
        images: uint8 [N, H, W, C] with C = 1 or 3.
        labels: int64 [N], index into ``classes``.
        classes: Class names.
        original_side: Median of the longer side before resizing, in pixels.
        test: bool [N], whether a sample is in the data set's own test split; None if it has none.
        validation: bool [N], whether a sample is in its own validation split; None if it has none.
        attribute: str [N], the value for partitioning by attribute; None if there is none.
        persons: int64 [N], the person that each sample is about or from; None if it is not known.
        groups: int64 [N], the same number for copies of one image; None if it was not examined.
        summary: What was read and what was not; None for sets that are read as a whole.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    original_side: int
    test: NDArray[np.bool_] | None = None
    validation: NDArray[np.bool_] | None = None
    attribute: NDArray[np.str_] | None = None
    persons: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    summary: DataSummary | None = None

    def chosen(self, indices: NDArray[np.int64]) -> Samples:
        """Return the samples with these indices."""
        arrays = ("images", "labels", "test", "validation", "attribute", "persons", "groups")
        values = {name: getattr(self, name) for name in arrays}
        return replace(
            self, **{name: value[indices] for name, value in values.items() if value is not None}
        )


def common_side(longer_sides: list[int]) -> tuple[int, int]:
    """Choose the common side to which all images are resized.

    Args:
        longer_sides: The longer side of each image, in pixels.

    Returns:
        The common side, and the median it was derived from.
    """
    median = int(np.median(longer_sides))
    return min(max(median, MIN_SIDE), MAX_SIDE), median


def to_array(image: Image.Image, *, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Convert an image to the size and channels of a model's training data.

    Used for both training and serving. The image is scaled, not cropped, so that nothing near its
    edge is lost.

    Args:
        image: RGB image of any size.
        height: Height in pixels.
        width: Width in pixels.
        channels: 1 for grey, 3 for colour.

    Returns:
        uint8 [height, width, channels].
    """
    resized = image.convert("L" if channels == 1 else "RGB")
    if resized.size != (width, height):
        resized = resized.resize((width, height), Image.Resampling.BOX)
    return np.asarray(resized, dtype=np.uint8).reshape(height, width, channels)


def drop_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return one channel if all images are grey, otherwise the same array."""
    if images.shape[-1] == 3 and bool(
        np.all(images[..., :1] == images[..., 1:2]) and np.all(images[..., :1] == images[..., 2:])
    ):
        return images[..., :1]
    return images
