"""Conversion of local images in formats that nodes do not accept (BMP, GIF, TIFF, HEIC).

Nodes accept only four formats, since each additional decoder adds to the attack surface for
untrusted bytes. Files that people open on their own machine are less of a risk.
"""

from __future__ import annotations

import io
import warnings

from PIL import ExifTags, Image

from edgewright.tools.errors import InputError
from edgewright.tools.images.avif import is_avif
from edgewright.tools.images.colour import to_8_bits, to_srgb
from edgewright.tools.images.decode import DECODING_ERRORS
from edgewright.tools.images.probe import MAX_PIXELS, check_pixels
from edgewright.tools.images.tiff import correct_tiles

#: File name extensions of supported images, in lower case.
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff",
     ".heic", ".heif"}
)  # fmt: skip
#: Extensions of images that cannot be read here; such files are named, not silently left out.
OTHER_IMAGE_SUFFIXES = frozenset(
    {".jxl", ".jp2", ".j2k", ".psd", ".svg", ".ico", ".tga", ".ppm", ".pgm", ".dng", ".raw", ".cr2",
     ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".exr", ".hdr", ".dcm", ".eps"}
)  # fmt: skip

_FORMATS = {
    b"BM": "BMP", b"GIF8": "GIF",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip
#: Brands of a HEIC file, after "ftyp"; AVIF has its own, and nodes read it.
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_HEIC_QUALITY = 95
#: Modes that PNG supports; images in other modes are converted to RGB.
_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})


def to_accepted_format(data: bytes) -> bytes:
    """Return an image in a format that nodes accept.

    Args:
        data: Contents of the file; only the first frame or page of several is converted.

    Returns:
        A PNG if the file is BMP, GIF or TIFF, a JPEG if it is HEIC, otherwise the same bytes,
        unchecked.

    Raises:
        InputError: The file is damaged (``image_truncated``).
        TooLargeError: It has more than ``MAX_PIXELS`` pixels (``too_many_pixels``).
        ModuleNotFoundError: It is HEIC, and pi-heif is not installed.
    """
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS and not is_avif(data):
        return _from_heic(data)
    kind = next((kind for magic, kind in _FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        return data
    png = io.BytesIO()
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[kind]) as image,
        ):
            check_pixels(image.width, image.height, MAX_PIXELS)
            correct_tiles(image)
            image.load()  # a TIFF is turned upright by that, and has no orientation afterwards
            exif = Image.Exif()  # not all tags of all files can be copied
            if orientation := image.getexif().get(ExifTags.Base.Orientation):
                exif[ExifTags.Base.Orientation] = orientation
            shown = to_srgb(to_8_bits(_opaque(image) if kind == "BMP" else image))
            if shown.mode not in _PNG_MODES:
                shown = shown.convert("RGB")
            shown.info.pop("icc_profile", None)
            shown.save(png, "PNG", exif=exif)
    except InputError:
        raise
    except DECODING_ERRORS:
        raise _damaged(kind) from None
    return png.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    """Return a BMP without its fourth channel if that is 0 everywhere: it is padding, not alpha."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")
    return image


def _from_heic(data: bytes) -> bytes:
    from pi_heif import open_heif

    jpeg = io.BytesIO()
    try:
        file = open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        width, height = file.size
        check_pixels(width, height, MAX_PIXELS)
        # The orientation is already applied, as the format demands.
        shown = to_srgb(file.to_pillow())
        shown.info.clear()
        shown.convert("RGB").save(jpeg, "JPEG", quality=_HEIC_QUALITY, subsampling=0)
    except InputError:
        raise
    except DECODING_ERRORS:
        raise _damaged("HEIC") from None
    return jpeg.getvalue()


def _damaged(kind: str) -> InputError:
    return InputError(
        f"the {kind} image is truncated, damaged or of an unusual kind; export it again, as a PNG",
        code="image_truncated",
    )
