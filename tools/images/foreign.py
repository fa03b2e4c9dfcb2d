"""Pictures in formats that nodes do not take, in files that people name: they become PNG.

Nodes read four formats and no more, since each further decoder is one more that hostile bytes can
reach. A file that a person names on their own machine is another matter.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image

from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.images.decode import DAMAGED
from edgewright.tools.images.probe import MAX_PIXELS

#: How the names of pictures end that people have, in capitals or not.
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
)

_FORMATS = {b"BM": "BMP", b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
#: What a PNG file can hold; all else becomes RGB.
_KEPT = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})


def recoded(data: bytes) -> bytes:
    """Return a picture in a format that nodes take.

    Args:
        data: The file; of an animation or of several pages the first counts.

    Returns:
        PNG if it was BMP, GIF or TIFF, else the same bytes, unchecked.

    Raises:
        InputError: It is one of these and damaged (``image_truncated``).
        TooLargeError: It has more pixels than the limit (``too_many_pixels``).
    """
    kind = next((kind for magic, kind in _FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        return data
    png = io.BytesIO()
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[kind]) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise TooLargeError(
                    f"the picture has {image.width} x {image.height} pixels, more than the limit "
                    f"of {MAX_PIXELS}; give a smaller one",
                    code="too_many_pixels",
                )
            kept = image if image.mode in _KEPT else image.convert("RGB")
            kept.save(png, "PNG", exif=image.getexif())
    except DAMAGED:
        raise InputError(
            f"the {kind} picture breaks off or is damaged; export it again",
            code="image_truncated",
        ) from None
    return png.getvalue()
