"""What a picture costs when it is sent itself: PNG, and JPEG, WebP and AVIF at many qualities."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from edgewright.tools.images.encode import FULL_COLOURS

#: Qualities of the lossy codings, from the smallest pictures to the best.
QUALITIES = {
    "jpeg": (5, 10, 20, 30, 40, 50, 60, 75, 90),
    "webp": (0, 5, 10, 20, 30, 50, 70, 80, 90),
    "avif": (5, 15, 30, 40, 50, 60, 75),
}
#: Beyond them, for labels that hang on little.
FINEST = {"jpeg": (95, 98), "webp": (95, 98), "avif": (85, 90, 95)}


@dataclass(frozen=True)
class Sent:
    """A picture as it is sent.

    Attributes:
        picture: What the receiver sees, RGB.
        file_bytes: Size of the file.
        payload_bytes: Size without the container and without tables that both sides could have
            agreed on.
    """

    picture: Image.Image
    file_bytes: int
    payload_bytes: int


def image_encodings(step: int = 1, *, finest: bool = False) -> Iterator[tuple[str, int | None]]:
    """Yield every coding with its quality, the lossless one first.

    Args:
        step: Take every so many qualities only.
        finest: Yield those that are near lossless too.
    """
    yield "png", None
    for encoding, usual in QUALITIES.items():
        for quality in (*usual, *(FINEST[encoding] if finest else ()))[::step]:
            yield encoding, quality


def send(picture: Image.Image, encoding: str, quality: int | None) -> Sent:
    """Encode a picture, in grey if it is grey, and decode it again."""
    least = picture.convert("L") if _is_grey(picture) else picture
    options: dict[str, Any] = {} if quality is None else {"quality": quality}
    if quality is not None and quality >= FULL_COLOURS and encoding in ("jpeg", "avif"):
        options["subsampling"] = "4:4:4"
    data = _encoded(least, encoding, optimize=encoding != "avif", **options)
    with Image.open(io.BytesIO(data)) as decoded:
        received = decoded.convert("RGB")
    # Fitted Huffman tables have to be sent along; the standard ones are known to both sides.
    plain = _encoded(least, encoding, **options) if encoding == "jpeg" else data
    return Sent(received, len(data), _PAYLOADS[encoding](plain))


def _encoded(picture: Image.Image, encoding: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, encoding.upper(), **options)
    return buffer.getvalue()


def _is_grey(picture: Image.Image) -> bool:
    red, green, blue = (band.tobytes() for band in picture.split())
    return red == green == blue


def _png_payload(data: bytes) -> int:
    """Count what the IDAT chunks hold."""
    return sum(size for kind, size in _boxes(data, 8, extra=12) if kind == b"IDAT")


def _jpeg_payload(data: bytes) -> int:
    """Count the entropy-coded scan: from behind the start-of-scan segment to the end mark."""
    at = 2
    while data[at + 1] != 0xDA:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return len(data) - at - 2


def _webp_payload(data: bytes) -> int:
    """Count the VP8 chunk without its frame header of ten bytes."""
    at = 12
    while data[at : at + 4] != b"VP8 ":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return int.from_bytes(data[at + 4 : at + 8], "little") - 10


def _avif_payload(data: bytes) -> int:
    """Count what the mdat boxes hold."""
    return sum(size for kind, size in _boxes(data, 0, extra=0) if kind == b"mdat")


def _boxes(data: bytes, at: int, *, extra: int) -> Iterator[tuple[bytes, int]]:
    """Yield kind and content size of each chunk of a PNG (12 extra bytes) or box of an AVIF."""
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], size if extra else size - 8
        at += size + extra


_PAYLOADS = {
    "png": _png_payload,
    "jpeg": _jpeg_payload,
    "webp": _webp_payload,
    "avif": _avif_payload,
}


def send_all(
    pictures: Sequence[Image.Image], encoding: str, quality: int | None
) -> tuple[list[Image.Image], float, float]:
    """Return what arrives of pictures, and the mean sizes of file and payload."""
    sent = [send(picture, encoding, quality) for picture in pictures]
    count = len(sent)
    return (
        [one.picture for one in sent],
        sum(one.file_bytes for one in sent) / count,
        sum(one.payload_bytes for one in sent) / count,
    )
