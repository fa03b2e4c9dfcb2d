"""The photographs that a node measures itself with."""

from __future__ import annotations

from PIL import Image

from edgewright.tools.errors import InputError
from edgewright.tools.images.decode import decode
from edgewright.tools.sensing.camera import Camera

#: Maximum number of photographs, and maximum size of each.
_PHOTOGRAPHS = 8
_PHOTOGRAPH_BYTES = 32_000_000


def photographs(camera: Camera) -> list[Image.Image]:
    """Decode a few photographs of a node's camera; there may be none."""
    found: list[Image.Image] = []
    for name in camera.names()[:_PHOTOGRAPHS]:
        try:
            found.append(decode(camera.photograph(name, max_bytes=_PHOTOGRAPH_BYTES)))
        except InputError:
            continue  # a damaged file does not matter for speed
    return found
