"""Correcting what Pillow reads wrongly, without a word, in TIFF files of more than 8 bits."""

from __future__ import annotations

from typing import Any

from PIL.TiffImagePlugin import BITSPERSAMPLE, PLANAR_CONFIGURATION

_APART = 2
#: A compressed file is unpacked into this machine's byte order, whatever the order of the file is.
_NATIVE = {"F;32BF": "F;32NF", "I;16BS": "I;16NS", "I;32BS": "I;32NS"}


def correct_tiles(image: Any) -> None:
    """Correct how an opened image will be decoded, if it is a TIFF.

    Args:
        image: The image, before its pixels are loaded.
    """
    if image.format != "TIFF":
        return
    bits = max(image.tag_v2.get(BITSPERSAMPLE, (1,)))
    apart = bits > 8 and image.tag_v2.get(PLANAR_CONFIGURATION) == _APART
    # Of channels that are stored apart, every second byte would be taken for a pixel.
    deep = f";{bits}{'B' if image.tag_v2.prefix == b'MM' else 'L'}" if apart else ""
    for index, tile in enumerate(image.tile):
        mode, *more = tile.args
        mode = _NATIVE.get(mode, mode) if tile.codec_name == "libtiff" else f"{mode}{deep}"
        image.tile[index] = tile._replace(args=(mode, *more))
