"""What pixel values show: colour profiles applied, and grey of any depth brought to 8 bits."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

#: Profiles are a few kilobytes, those of printers up to some megabytes.
_MAX_PROFILE_BYTES = 4_000_000
#: Modes whose pixels a profile can be applied to, and the mode of the result.
_PROFILE_MODES = {"RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB", "L": "RGB"}
_UNSIGNED, _SIGNED = 1, 2
#: By bits: the highest values of shorter numbers, which files of so many bits often contain.
_CONTAINED = {16: (255.0, 1023.0, 4095.0), 32: (255.0, 65_535.0)}
_ROWS = 256
_SAMPLE_FORMAT, _BITS, _PHOTOMETRIC = 339, 258, 262


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the image in sRGB if it has the profile of another colour space.

    An invalid profile, or one of other channels than the image's, is ignored, as viewers do.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _MAX_PROFILE_BYTES:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    mode = _PROFILE_MODES.get(image.mode)
    if mode is None:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image if converted is None else converted


def to_8_bits(image: Image.Image) -> Image.Image:
    """Return a grey image of 16 or 32 bits, of signed values or of floating point in mode L.

    Unsigned values are scaled from their whole range, or from the shorter one that they are in:
    cameras write 10 or 12 bits into 16. Signed ones are scaled from the positive half of it.
    Floating point is taken as 0 to 1, or else as 0 to 255. Values outside of these ranges are
    stretched between the lowest and the highest. Values that are not finite become 0. Other images
    are returned unchanged.
    """
    tags = getattr(image, "tag_v2", {})
    signed = int(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0]) == _SIGNED
    if not image.mode.startswith(("I", "F")) and not (signed and image.mode == "L"):
        return image
    values = np.asarray(image)
    if image.mode == "F":
        tops = [1.0, 255.0]
    elif image.mode == "L":
        values, tops = values.view(np.int8), [127.0]  # Pillow has no mode for them
    else:
        bits = int(tags.get(_BITS, (16 if ";" in image.mode else 32,))[0])
        if values.dtype == np.int32 and bits == 32 and not signed:
            values = values.view(np.uint32)  # nor for these
        tops = [*_CONTAINED.get(bits, ()), float(2 ** (bits - 1) - 1 if signed else 2**bits - 1)]
    grey = _scaled(values, tops)
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero
        grey = np.invert(grey)
    return Image.fromarray(grey)


def _scaled(values: NDArray[np.generic], tops: list[float]) -> NDArray[np.uint8]:
    """Scale values to 0 to 255, from the first range 0 to ``top`` that holds them all."""
    finite = np.isfinite(values)
    known = values if finite.all() else values[finite]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        start, span = low, high - low
        span = span if np.isfinite(span) and span > 0 else 1.0
    else:
        start, span = 0.0, top
    grey = np.zeros(values.shape, dtype=np.uint8)
    for row in range(0, len(values), _ROWS):  # a few rows at a time take little memory
        part = slice(row, row + _ROWS)
        exact = np.where(finite[part], values[part], start).astype(np.float64)
        grey[part] = np.clip(np.round((exact - start) * (255 / span)), 0, 255)
    return grey
