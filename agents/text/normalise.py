"""One form for the many ways in which the same text is typed."""

from __future__ import annotations

import re
import unicodedata

#: Full-width forms of ASCII characters, and the space that goes with them.
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_SINGLE = (0x2018, 0x2019, 0x201A, 0x201B, 0x2032, 0x60, 0xB4)
_DOUBLE = (0x201C, 0x201D, 0x201E, 0x201F, 0x2033, 0xAB, 0xBB)
_QUOTES = dict.fromkeys(_SINGLE, "'") | dict.fromkeys(_DOUBLE, '"')
_SPACES = dict.fromkeys((160, 5760, *range(8192, 8203), 8239, 8287, 9), " ")
_BREAKS = {0x2028: "\n", 0x2029: "\n", 0x85: "\n", 0x0B: "\n", 0x0C: "\n"}
#: Characters without width: zero-width space and joiners, marks of direction, soft hyphen, BOM.
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
_TABLE = {**_FULL_WIDTH, **_QUOTES, **_SPACES, **_BREAKS, **_INVISIBLE}


#: Emoji of animals, food and vehicles where a noun is due.
_PICTURED = re.compile(
    r"(?P<before>\b(?:an?|any|some|the|no|many|each|every)\s+)"
    r"(?P<sign>[\U0001F400-\U0001F43E\U0001F980-\U0001F9AE\U0001F345-\U0001F37F\U0001F680-\U0001F6A4])",
    re.IGNORECASE,
)


def _named(match: re.Match[str]) -> str:
    name = unicodedata.name(match["sign"], "").lower().removesuffix(" face")
    return f"{match['before']}{name}"


def normalised(text: str) -> str:
    """Return a text in one form.

    Composed accents (NFC), straight quotation marks, ordinary spaces and line breaks, half-width
    letters, words for emoji that stand for a noun ("is there a \N{DOG FACE}"), and no characters
    that cannot be seen.
    """
    text = unicodedata.normalize("NFC", text).translate(_TABLE)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else _PICTURED.sub(_named, text)
