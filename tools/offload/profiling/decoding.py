"""Profiling how long this node takes to decode images of each type."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image, ImageFilter

from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.images import Mime
from edgewright.tools.contracts.profiles import DecodingProfile
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode

_Result = TypeVar("_Result")
#: Work that pauses after each short piece.
Pieces = Generator[None, None, _Result]

#: What cameras and programs produce: type, codec and quality. A camera's own type comes first.
_ORIGINALS: tuple[tuple[Mime, ImageCodec, int | None], ...] = (
    ("image/jpeg", "jpeg", 92),
    ("image/png", "png", None),
    ("image/webp", "webp", 80),
    ("image/avif", "avif", 60),
)
#: Photographs to measure with, and the size that they are cropped to: times are proportional to
#: pixels, and encoding large PNG and AVIF images takes seconds.
_PHOTOGRAPHS, _CROP = 3, (640, 480)
#: Radius in pixels that removes detail and with it most bytes.
_BLUR = 3
_REPETITIONS = 3


def decoding_profiles(
    photographs: Sequence[Image.Image], slowdown: float
) -> Pieces[list[DecodingProfile]]:
    """Measure the time to decode each type of image, for a pixel and for a byte.

    Each photograph is decoded as it is and blurred, which has as many pixels and far fewer bytes.

    Args:
        photographs: RGB images.
        slowdown: Factor by which the node is slowed deliberately.

    Yields:
        None after each piece.

    Returns:
        The profiles, a camera's type first.
    """
    crops = [_cropped(one) for one in photographs[:_PHOTOGRAPHS]]
    blurred = [one.filter(ImageFilter.GaussianBlur(_BLUR)) for one in crops]
    profiles: list[DecodingProfile] = []
    for mime, codec, quality in _ORIGINALS:
        sizes: list[tuple[float, float]] = []
        times: list[float] = []
        for image in (*crops, *blurred):
            data = encode(image, codec, quality, full_chroma=False)
            yield
            sizes.append((image.width * image.height / 1e6, len(data) / 1e6))
            times.append(_decode_ms(data) * slowdown)
            yield
        per_megapixel, per_megabyte = _fitted(np.array(sizes), np.array(times))
        profiles.append(
            DecodingProfile(
                mime=mime,
                ms_per_megapixel=per_megapixel,
                ms_per_megabyte=per_megabyte,
                pixels=round(1e6 * statistics.median(size[0] for size in sizes[: len(crops)])),
                bytes=round(1e6 * statistics.median(size[1] for size in sizes[: len(crops)])),
            )
        )
    return profiles


def _cropped(image: Image.Image) -> Image.Image:
    width, height = _CROP
    return image.crop((0, 0, min(image.width, width), min(image.height, height)))


def _decode_ms(data: bytes) -> float:
    times: list[float] = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        decode(data)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _fitted(
    sizes: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    times: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[float, float]:
    """Return the least-squares costs of a megapixel and a megabyte, neither of them negative.

    Args:
        sizes: Megapixels and megabytes of each image.
        times: Milliseconds of each.
    """
    # Relative errors count, since noise grows with the time.
    weighted, ones = sizes / times[:, None], np.ones(len(times))
    (pixels, size), *_ = np.linalg.lstsq(weighted, ones, rcond=None)
    if min(pixels, size) >= 0:
        return float(pixels), float(size)
    column = int(pixels < 0)  # one of them alone explains the times best
    alone = float(weighted[:, column] @ ones / (weighted[:, column] @ weighted[:, column]))
    return (0.0, alone) if column else (alone, 0.0)
