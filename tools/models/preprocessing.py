"""Conversion of images to a network's input: resize, crop and normalise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The preprocessing that one model requires.

    Attributes:
        size: Height and width of the network's input in pixels.
        resample: Filter for resizing.
        mean: Mean per channel, on the scale 0 to 255.
        deviation: Standard deviation per channel, on the scale 0 to 255.
        crop_margin: Centre-crop to a square first, omitting ``crop_margin`` of every ``size +
            crop_margin`` pixels; None resizes the whole image to ``size``.
    """

    size: tuple[int, int]
    resample: Image.Resampling
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    crop_margin: int | None = None

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB image; an image of the right size is returned unchanged."""
        height, width = self.size
        if image.size == (width, height):
            return image
        box: tuple[float, float, float, float] | None = None
        if self.crop_margin is not None:
            side = max(1, int(min(image.size) * height / (height + self.crop_margin)))
            left, top = (image.width - side) // 2, (image.height - side) // 2
            box = (left, top, left + side, top + side)
        return image.resize((width, height), self.resample, box=box)

    def array(self, image: Image.Image) -> NDArray[np.float32]:
        """Normalise a preprocessed image to float32 ``[1, 3, H, W]``."""
        pixels = np.asarray(image, dtype=np.float32)
        mean = np.array(self.mean, dtype=np.float32)
        deviation = np.array(self.deviation, dtype=np.float32)
        normalised = (pixels - mean) / deviation
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[np.newaxis])
