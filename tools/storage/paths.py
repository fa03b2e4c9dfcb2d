"""Paths as people type them, paste them or drop them on a terminal."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_ESCAPE = re.compile(r"\\(.)")
_QUOTES = {"'": "'", '"': '"', "`": "`", "“": "”", "\u2018": "\u2019", "«": "»", "<": ">"}
#: Marks of direction and order, which copied names may begin or end with.
_MARKS = "\u200e\u200f\u202a\u202b\u202c\ufeff"
_SCHEME = re.compile(r"file:(?://[^/]*)?", re.IGNORECASE)
_MAX_LENGTH = 10_000


def existing_path(text: str) -> Path:
    """Return the path that a text means.

    The text itself comes first; if there is no such file, quotes around it, a shell's escapes, a
    ``file:`` URL and the other Unicode normal forms of its name are tried.

    Args:
        text: The text; ``~`` stands for the home folder.

    Returns:
        The first of these paths that exists; the text as a path if none does.
    """
    for meaning in _meanings(text):
        path = _expanded(meaning)
        if _exists(path):
            return path
        for form in ("NFC", "NFD"):
            other = Path(unicodedata.normalize(form, str(path)))
            if _exists(other):
                return other
    return _expanded(text)


def _meanings(text: str) -> Iterator[str]:
    yield text
    bare = text.strip().strip(_MARKS)
    yield bare
    yield from _shell_word(bare)
    if len(bare) > 1 and _QUOTES.get(bare[0]) == bare[-1]:
        bare = bare[1:-1]
        yield bare
    if scheme := _SCHEME.match(bare):
        path = bare[scheme.end() :]
        yield os.fsdecode(unquote(path).encode("utf-8", "surrogateescape"))
        yield path
    if "\\" in bare:
        yield _ESCAPE.sub(r"\1", bare)


def _shell_word(text: str) -> list[str]:
    """Read a name as a shell would, in which terminals quote what is dropped into them."""
    try:
        words = shlex.split(text) if len(text) < _MAX_LENGTH else []
    except ValueError:
        return []
    return words if len(words) == 1 else []


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # "~name" of no user
        return Path(text)


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):
        return False
