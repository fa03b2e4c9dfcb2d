"""From encoded bytes to an upright RGB picture, with every limit checked first."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

from PIL import ExifTags, Image

from edgewright.tools.errors import InputError
from edgewright.tools.images.probe import MAX_PIXELS, probe

#: What Pillow's decoders raise on damaged files; anything else would be a defect of ours.
DAMAGED = (
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

# What sets a picture upright, by its EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture; of an animation, its first frame.

    Transparent parts are laid over white, 16-bit grey is scaled to 8 bits, and the EXIF
    orientation is applied.

    Args:
        data: The encoded picture: PNG, JPEG, WebP or AVIF.
        max_pixels: Largest width times height that is accepted.

    Returns:
        The picture in mode RGB.

    Raises:
        InputError: As ``probe`` says, or damaged behind its header (``image_truncated``).
        TooLargeError: More pixels than the limit.
    """
    header = probe(data, max_pixels=max_pixels)
    kind = header.mime.removeprefix("image/").upper()
    try:
        # Pillow warns of damaged metadata; the pixels alone count here.
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[kind]) as image,
        ):
            if image.size != (header.width, header.height):
                raise ValueError("header and content disagree about the size")
            image.load()
            turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            rgb = _rgb(image)
            return rgb if turn is None else rgb.transpose(turn)
    except DAMAGED:
        raise InputError(
            f"the {kind} picture breaks off or is damaged behind its header; send the file again",
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
