"""The size of an image that is sent as PNG, or as JPEG, WebP or AVIF at many qualities."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from edgewright.tools.images.encode import FULL_CHROMA_QUALITY

#: Qualities of the lossy encodings, in ascending order.
QUALITIES = {
    "jpeg": (5, 10, 20, 30, 40, 50, 60, 75, 90),
    "webp": (0, 5, 10, 20, 30, 50, 70, 80, 90),
    "avif": (5, 15, 30, 40, 50, 60, 75),
}
#: Near-lossless qualities, for labels that depend on fine detail.
FINEST = {"jpeg": (95, 98), "webp": (95, 98), "avif": (85, 90, 95)}


@dataclass(frozen=True)
class Sent:
    """A sent image.

    Attributes:
        image: The decoded image at the receiver, RGB.
        file_bytes: Size of the file.
        payload_bytes: Size without the container and without tables that both sides could share
            in advance.
    """

    image: Image.Image
    file_bytes: int
    payload_bytes: int


def image_encodings(step: int = 1, *, finest: bool = False) -> Iterator[tuple[str, int | None]]:
    """Yield every encoding with its quality, the lossless one first.

    Args:
        step: Yield only every ``step``-th quality.
        finest: Include near-lossless qualities.
    """
    yield "png", None
    for encoding, qualities in QUALITIES.items():
        for quality in (*qualities, *(FINEST[encoding] if finest else ()))[::step]:
            yield encoding, quality


def send(image: Image.Image, encoding: str, quality: int | None) -> Sent:
    """Encode an image, in greyscale if it is grey, and decode it again."""
    converted = image.convert("L") if _is_grey(image) else image
    options: dict[str, Any] = {} if quality is None else {"quality": quality}
    if quality is not None and quality >= FULL_CHROMA_QUALITY and encoding in ("jpeg", "avif"):
        options["subsampling"] = "4:4:4"
    data = _encoded(converted, encoding, optimize=encoding != "avif", **options)
    with Image.open(io.BytesIO(data)) as decoded:
        received = decoded.convert("RGB")
    # Optimised Huffman tables must be sent; both sides know the standard ones.
    plain = _encoded(converted, encoding, **options) if encoding == "jpeg" else data
    return Sent(received, len(data), _PAYLOADS[encoding](plain))


def _encoded(image: Image.Image, encoding: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, encoding.upper(), **options)
    return buffer.getvalue()


def _is_grey(image: Image.Image) -> bool:
    red, green, blue = (band.tobytes() for band in image.split())
    return red == green == blue


def _png_payload(data: bytes) -> int:
    """Return the size of the IDAT chunks' contents."""
    return sum(size for kind, size in _boxes(data, 8, extra=12) if kind == b"IDAT")


def _jpeg_payload(data: bytes) -> int:
    """Return the size of the entropy-coded scan, between start-of-scan segment and end marker."""
    position = 2
    while data[position + 1] != 0xDA:
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return len(data) - position - 2


def _webp_payload(data: bytes) -> int:
    """Return the size of the VP8 chunk without its frame header of ten bytes."""
    position = 12
    while data[position : position + 4] != b"VP8 ":
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2
    return int.from_bytes(data[position + 4 : position + 8], "little") - 10


def _avif_payload(data: bytes) -> int:
    """Return the size of the mdat boxes' contents."""
    return sum(size for kind, size in _boxes(data, 0, extra=0) if kind == b"mdat")


def _boxes(data: bytes, position: int, *, extra: int) -> Iterator[tuple[bytes, int]]:
    """Yield kind and content size of each PNG chunk (12 extra bytes) or AVIF box (none)."""
    while position < len(data):
        size = int.from_bytes(data[position : position + 4])
        yield data[position + 4 : position + 8], size if extra else size - 8
        position += size + extra


_PAYLOADS = {
    "png": _png_payload,
    "jpeg": _jpeg_payload,
    "webp": _webp_payload,
    "avif": _avif_payload,
}


def send_all(
    images: Sequence[Image.Image], encoding: str, quality: int | None
) -> tuple[list[Image.Image], float, float]:
    """Return the decoded images, and the mean sizes of file and payload."""
    sent = [send(image, encoding, quality) for image in images]
    count = len(sent)
    return (
        [one.image for one in sent],
        sum(one.file_bytes for one in sent) / count,
        sum(one.payload_bytes for one in sent) / count,
    )
