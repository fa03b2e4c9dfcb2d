"""Decoding of encoded bytes to an upright RGB image, after all limits are checked."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

from PIL import ExifTags, Image

from edgewright.tools.errors import InputError
from edgewright.tools.images.probe import MAX_PIXELS, probe

#: Exceptions that Pillow's decoders raise on damaged files; any other is a bug in this package.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

# Transpositions that turn an image upright, by EXIF orientation.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode an image, or the first frame of an animation.

    Transparent areas are composited over white, 16-bit grey is scaled to 8 bits, and the EXIF
    orientation is applied.

    Args:
        data: The encoded image: PNG, JPEG, WebP or AVIF.
        max_pixels: Maximum number of pixels (width times height).

    Returns:
        The image in mode RGB.

    Raises:
        InputError: As for ``probe``, or the data after the header is damaged (``image_truncated``).
        TooLargeError: The image exceeds ``max_pixels``.
    """
    header = probe(data, max_pixels=max_pixels)
    kind = header.mime.removeprefix("image/").upper()
    try:
        # Pillow warns about damaged metadata; only the pixels matter here.
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[kind]) as image,
        ):
            if image.size != (header.width, header.height):
                raise ValueError("header and content disagree about the size")
            image.load()
            transposition = _TRANSPOSITIONS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            rgb = _rgb(image)
            return rgb if transposition is None else rgb.transpose(transposition)
    except DECODING_ERRORS:
        raise InputError(
            f"the {kind} image is truncated or damaged after its header; send the file again",
            code="image_truncated",
        ) from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
