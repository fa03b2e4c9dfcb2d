"""Decoding of encoded bytes to an upright RGB image, after all limits are checked."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import suppress

from PIL import ExifTags, Image

from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.errors import InputError
from edgewright.tools.images.colour import to_8_bits, to_srgb
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

#: JPEGs with more pixels than this are decoded at a reduced size.
DRAFT_PIXELS = 16_000_000

_JPEG_END = b"\xff\xd9"
_FILLERS, _FILLER_BYTES = (b"\x55", b"\xaa"), 64

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

    Transparent areas are composited over white, 16-bit grey is scaled to 8 bits, colour profiles
    and the EXIF orientation are applied. JPEGs of more than ``DRAFT_PIXELS`` are decoded at half
    their size or less, which costs a fraction of time and memory. A JPEG that lacks nothing but
    its end marker is decoded, as viewers do.

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
    with suppress(*DECODING_ERRORS):
        return _decoded(data, header)
    with suppress(*DECODING_ERRORS):
        if kind == "JPEG" and (image := _decoded_without_end(data, header)) is not None:
            return image
    raise InputError(
        f"the {kind} image is truncated or damaged after its header; send the file again",
        code="image_truncated",
    )


def _decoded(data: bytes, header: ImageFacts) -> Image.Image:
    kind = header.mime.removeprefix("image/").upper()
    # Pillow warns about damaged metadata; only the pixels matter here.
    with (
        warnings.catch_warnings(action="ignore"),
        Image.open(io.BytesIO(data), formats=[kind]) as image,
    ):
        if image.size != (header.width, header.height):
            raise ValueError("header and content disagree about the size")
        if kind == "JPEG" and image.width * image.height > DRAFT_PIXELS:
            image.draft(None, (image.width // 2, image.height // 2))
        image.load()
        transposition = _TRANSPOSITIONS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        rgb = _rgb(image)
        return rgb if transposition is None else rgb.transpose(transposition)


def _decoded_without_end(data: bytes, header: ImageFacts) -> Image.Image | None:
    """Decode a JPEG that lacks only its end marker; None if it lacks more, or something else.

    The decoder fills in what is missing without a word. So the image is decoded with two different
    continuations: they make a difference only if pixels are missing.
    """
    if data.endswith(_JPEG_END):
        return None
    one, other = (
        _decoded(data.rstrip(b"\xff") + filler * _FILLER_BYTES + _JPEG_END, header)
        for filler in _FILLERS
    )
    return one if one.tobytes() == other.tobytes() else None


def _rgb(image: Image.Image) -> Image.Image:
    image = to_srgb(to_8_bits(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
