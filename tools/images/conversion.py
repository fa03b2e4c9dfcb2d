"""Conversion of local images in formats that nodes do not accept (BMP, GIF, TIFF) to PNG.

Nodes accept only four formats, since each additional decoder adds to the attack surface for
untrusted bytes. Files that people open on their own machine are less of a risk.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image

from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.images.decode import DECODING_ERRORS
from edgewright.tools.images.probe import MAX_PIXELS

#: File name extensions of supported images, in lower case.
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
)

_FORMATS = {b"BM": "BMP", b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
#: Modes that PNG supports; images in other modes are converted to RGB.
_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})


def to_accepted_format(data: bytes) -> bytes:
    """Return an image in a format that nodes accept.

    Args:
        data: Contents of the file; only the first frame or page of several is converted.

    Returns:
        A PNG if the file is BMP, GIF or TIFF, otherwise the same bytes, unchecked.

    Raises:
        InputError: A BMP, GIF or TIFF file is damaged (``image_truncated``).
        TooLargeError: It has more than ``MAX_PIXELS`` pixels (``too_many_pixels``).
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
                    f"the image has {image.width} x {image.height} pixels, more than the limit "
                    f"of {MAX_PIXELS}; choose a smaller one",
                    code="too_many_pixels",
                )
            converted = image if image.mode in _PNG_MODES else image.convert("RGB")
            converted.save(png, "PNG", exif=image.getexif())
    except DECODING_ERRORS:
        raise InputError(
            f"the {kind} image is truncated or damaged; export it again",
            code="image_truncated",
        ) from None
    return png.getvalue()
