"""Encoding of images with PNG, JPEG, WebP or AVIF."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.errors import InputError

#: From this quality on, JPEG and AVIF store chroma at full resolution. With subsampled chroma, no
#: quality setting lets a classifier retain 99 % of its accuracy.
FULL_CHROMA_QUALITY = 90


def encode(
    image: Image.Image,
    image_codec: ImageCodec,
    quality: int | None = None,
    *,
    full_chroma: bool | None = None,
) -> bytes:
    """Encode an RGB image.

    Args:
        image: The image.
        image_codec: ``png`` (lossless), ``jpeg``, ``webp`` or ``avif``.
        quality: 1 to 100 for the lossy codecs; None for PNG.
        full_chroma: Whether JPEG and AVIF store chroma at full resolution (4:4:4), which cameras
            do not; None does so from quality ``FULL_CHROMA_QUALITY`` on.

    Raises:
        InputError: A quality is given for PNG, or missing for a lossy codec (``quality_mismatch``).
    """
    if (quality is None) != (image_codec == "png"):
        raise InputError(
            "quality must be 1 to 100 for jpeg, webp and avif, and None for png",
            code="quality_mismatch",
        )
    options: dict[str, Any] = {} if quality is None else {"quality": quality, "optimize": True}
    if quality is not None and image_codec in ("jpeg", "avif"):
        full = quality >= FULL_CHROMA_QUALITY if full_chroma is None else full_chroma
        options["subsampling"] = "4:4:4" if full else "4:2:0"
    buffer = io.BytesIO()
    image.save(buffer, image_codec.upper(), **options)
    return buffer.getvalue()
