"""Paths as people type them, paste them or drop them on a terminal."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ESCAPE = re.compile(r"\\(.)")
_QUOTES = ("'", '"')


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
    bare = text.strip()
    yield bare
    if len(bare) > 1 and bare[0] in _QUOTES and bare[-1] == bare[0]:
        bare = bare[1:-1]
        yield bare
    if bare.lower().startswith("file:"):
        yield os.fsdecode(unquote(urlsplit(bare).path).encode("utf-8", "surrogateescape"))
    if "\\" in bare:
        yield _ESCAPE.sub(r"\1", bare)


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
