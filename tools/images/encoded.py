"""Images inside JSON: base64 and data URIs, as programs and chat clients write them."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from edgewright.tools.errors import InputError

_DATA_URI = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_URL_SAFE = str.maketrans("-_", "+/")


def from_base64(text: str, what: str, *, code: str) -> bytes:
    """Decode base64 in any usual form: wrapped, URL-safe, without padding, or in a data URI.

    A data URI may be quoted as other URIs are.

    Args:
        text: The encoded bytes.
        what: What they are, for the message of the error.
        code: Code of the error.

    Raises:
        InputError: It is not base64.
    """
    if prefix := _DATA_URI.match(text):
        text = unquote(text[prefix.end() :])
    plain = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{what} is not valid base64; encode the image again", code=code) from None
