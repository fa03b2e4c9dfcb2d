"""Coordinates in pixels of the image that was sent, whatever size a network saw."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from edgewright.tools.contracts.perceptions import Perceptions

#: EXIF orientations that swap width and height.
_TURNED = (5, 6, 7, 8)
_ORIENTATION = 0x0112


def in_pixels(output: dict[str, Any], image: bytes) -> dict[str, Any]:
    """Return an expert's output with its perceptions in pixels of an image.

    Networks see an image at a size of their own, and a server may have got a smaller copy.

    Args:
        output: The output; without perceptions it is returned unchanged.
        image: The encoded image, as it was sent to this node.
    """
    if "perceptions" not in output:
        return output
    seen = Perceptions.model_validate(output["perceptions"])
    size = _upright_size(image)
    if (seen.width, seen.height) == size:
        return output
    return seen.resized(*size).in_output(output)


def _upright_size(image: bytes) -> tuple[int, int]:
    """Return width and height after the EXIF orientation is applied, from the header alone."""
    with Image.open(BytesIO(image)) as header:
        width, height = header.size
        turned = header.getexif().get(_ORIENTATION) in _TURNED
    return (height, width) if turned else (width, height)
