"""Bounds on the time that decoding takes: by an image's pixels, whatever else its file contains.

Usual files are far below them. A JPEG of 180 KB with 2,000 scans takes a minute, because a decoder
visits every pixel in each scan; a PNG or JPEG of a million tiny pieces takes seconds.
"""

from __future__ import annotations

import struct

from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.errors import TooLargeError

#: Maximum number of pixels times scans of a JPEG: a second of decoding. Encoders write about ten.
MAX_SCANNED_PIXELS = 1_000_000_000
#: Pixels that a scan counts for at least, since each has tables of its own.
_MIN_SCAN_PIXELS = 100_000
#: The largest unit in which a JPEG is coded, in pixels: blocks of 8, up to four in each direction.
_JPEG_UNIT = 32
_SCAN = b"\xff\xda"
#: Maximum number of chunks of a PNG, or of segments in the head of a JPEG.
MAX_CHUNKS = 100_000


def check_cost(data: bytes, facts: ImageFacts) -> None:
    """Refuse an image that would take far longer to decode than others of its size.

    Args:
        data: The encoded image.
        facts: Its type and size.

    Raises:
        TooLargeError: It has too many scans (``too_many_scans``) or chunks (``too_many_chunks``).
    """
    if facts.mime == "image/jpeg":
        _check_jpeg(data, facts)
    elif facts.mime == "image/png":
        _check_png(data)


def _check_jpeg(data: bytes, facts: ImageFacts) -> None:
    position = 2
    for _ in range(MAX_CHUNKS):
        marker = data[position : position + 2]
        if len(marker) < 2 or marker == _SCAN or marker[0] != 0xFF:
            break
        if marker[1] == 0xFF:
            position += 1
        elif marker[1] == 0x01 or 0xD0 <= marker[1] <= 0xD8:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    else:
        raise _too_many(f"{MAX_CHUNKS} chunks", "too_many_chunks")
    width, height = (-(-side // _JPEG_UNIT) * _JPEG_UNIT for side in (facts.width, facts.height))
    # In coded data, this pair of bytes cannot occur; in metadata it hardly does.
    scans = data.count(_SCAN)
    if scans * max(width * height, _MIN_SCAN_PIXELS) > MAX_SCANNED_PIXELS:
        raise _too_many(f"{scans} scans", "too_many_scans")


def _check_png(data: bytes) -> None:
    position = 8
    for _ in range(MAX_CHUNKS):
        if position + 4 > len(data):
            return
        position += 12 + struct.unpack_from(">I", data, position)[0]
    raise _too_many(f"{MAX_CHUNKS} chunks", "too_many_chunks")


def _too_many(parts: str, code: str) -> TooLargeError:
    return TooLargeError(
        f"the image is made of {parts} or more, which would take too long to decode; save it again "
        "with usual settings",
        code=code,
    )
