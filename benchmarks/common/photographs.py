"""Photographs that ship with the package."""

from __future__ import annotations

from importlib.resources import files

from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode


def photograph(
    size: tuple[int, int], image_codec: ImageCodec = "jpeg", quality: int | None = 90
) -> bytes:
    """Return a photograph that ships with the package, encoded as a camera or a program would."""
    folder = files("edgewright.tools.offload") / "photographs"
    first = min(
        (entry for entry in folder.iterdir() if entry.name.endswith(".jpg")),
        key=lambda entry: entry.name,
    )
    image = decode(first.read_bytes()).resize(size)
    return encode(image, image_codec, quality, full_chroma=False)
