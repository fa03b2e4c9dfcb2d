"""Reading type and size from an image's header, without allocating any pixels.

Some decoders (WebP's, for one) allocate the canvas as soon as they open a file, so the size is read
here from the container, before any decoder sees the bytes. For AVIF it is also read from the
bitstream (``avif.py``).
"""

from __future__ import annotations

import struct

from edgewright.tools.contracts.images import ImageFacts, Mime
from edgewright.tools.errors import InputError, MediaTypeError, TooLargeError
from edgewright.tools.images.avif import avif_size, is_avif
from edgewright.tools.images.cost import check_cost

#: Default limit on an image's pixels, enough for a telephone's photograph; as RGB it takes 156 MB.
MAX_PIXELS = 52_000_000

ACCEPTED = "PNG, JPEG, WebP or AVIF"

# A real JPEG has a few dozen segments before its size; iterating over millions would be an attack.
_MAX_JPEG_SEGMENTS = 10_000
# Standalone markers: TEM and the restart markers carry no length.
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# Start of frame: C0 to CF, except DHT, JPG and DAC.
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# End of image or start of scan: no size can follow.
_JPEG_END = frozenset({0xD9, 0xDA})

_OTHER_TYPES = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"<?xml": "SVG",
}


def probe(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    """Read type and size of an image from its header.

    Args:
        data: The encoded image.
        max_pixels: Maximum number of pixels (width times height).

    Raises:
        InputError: The data is empty (``empty_image``) or not an image (``not_an_image``), or its
            header is truncated or contradictory (``image_truncated``).
        MediaTypeError: The type is not accepted, or an AVIF file is not a single still image
            (``unsupported_media_type``).
        TooLargeError: The image exceeds ``max_pixels`` (``too_many_pixels``), or would take long to
            decode for another reason; see ``check_cost``.
    """
    mime = _mime(data)
    try:
        width, height = _READERS[mime](data)
    except (struct.error, IndexError):
        raise _truncated(mime) from None
    if width <= 0 or height <= 0:
        raise InputError(
            "the image's header declares a width or height of zero; export it again",
            code="not_an_image",
        )
    check_pixels(width, height, max_pixels)
    facts = ImageFacts(mime=mime, width=width, height=height, size_bytes=len(data))
    check_cost(data, facts)
    return facts


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse an image that would take too much memory once decoded.

    Raises:
        TooLargeError: More pixels than the limit (``too_many_pixels``).
    """
    if width * height > max_pixels:
        raise TooLargeError(
            f"the image has {width} x {height} pixels, more than the limit of {max_pixels}; "
            "send a smaller one",
            code="too_many_pixels",
        )


def _mime(data: bytes) -> Mime:
    if not data:
        raise InputError("the image is empty (0 bytes); choose another file", code="empty_image")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if is_avif(data):
        return "image/avif"
    other = next((name for magic, name in _OTHER_TYPES.items() if data.startswith(magic)), None)
    if data[4:8] == b"ftyp":
        other = "HEIC or a video"
    if other:
        raise MediaTypeError(f"{other} is not accepted; send the image as {ACCEPTED}")
    raise InputError(f"the data is not an image; send one as {ACCEPTED}", code="not_an_image")


def _png_size(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        raise _truncated("image/png")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte before the marker
            position += 1
        elif marker in _JPEG_STANDALONE:
            position += 2
        elif marker in _JPEG_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        elif marker in _JPEG_END:
            break
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    raise _truncated("image/jpeg")


def _webp_size(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise _truncated("image/webp")
    kind = data[12:16]
    if kind == b"VP8X":
        (width,) = struct.unpack("<I", data[24:27] + b"\0")
        (height,) = struct.unpack("<I", data[27:30] + b"\0")
        return width + 1, height + 1
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        # The two bits above each 14-bit size are a scaling hint for players, not part of the size.
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise _truncated("image/webp")


def _truncated(mime: Mime) -> InputError:
    name = mime.removeprefix("image/").upper()
    return InputError(
        f"the {name} image is truncated or damaged; send the file again",
        code="image_truncated",
    )


_READERS = {
    "image/png": _png_size,
    "image/jpeg": _jpeg_size,
    "image/webp": _webp_size,
    "image/avif": avif_size,
}
