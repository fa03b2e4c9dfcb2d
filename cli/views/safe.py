"""The way to the terminal: whatever is shown, nothing in it can control the terminal.

Names, answers, manuals, cards and programs in the sandbox are others' text. All output of the
commands passes through here or, on consoles, through ``screen.py``; no other module makes it safe.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import unicodedata
from contextlib import suppress
from typing import Any

import typer

_PICTURES = 0x2400  # control pictures, in the order of the control characters
_DELETE, _DELETE_PICTURE = 0x7F, 0x2421
#: Categories of characters that are not shown: controls, invisible ones, surrogates, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_REPLACEMENT = "\ufffd"
#: Parts of visible characters: joiners of emoji and scripts, and tags of flags are harmless alone.
_JOINERS = frozenset("\u200c\u200d")


def safe(text: str) -> str:
    """Return a text in which each control, invisible or invalid character is visible.

    Escape sequences can set a terminal's title or clipboard, clear it, or hide text; characters
    that change the direction of writing can make text read differently than it is. Tabs and line
    ends remain.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character in "\n\t" or character in _JOINERS:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return chr(_DELETE_PICTURE)
    return _REPLACEMENT if unicodedata.category(character) in _UNSEEN else character


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write text on standard output or standard error, as ``typer.echo`` does."""
    typer.echo(safe(text), err=err, nl=nl)


def print_json(value: Any) -> None:
    """Write one JSON value on one line of standard output.

    Characters that a terminal would not show are escaped, and so are all that the output's encoding
    lacks, so that the value is the same for whoever parses it.
    """
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, ensure_ascii=not unicode)
    typer.echo("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))


def prepare_streams() -> None:
    """Let no character end a command: neither one that was typed nor one that is written."""
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=errors)


def discard_output() -> None:
    """Write nothing more to standard output, after what can still be written."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):  # a stream in memory has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Warnings(logging.Handler):
    """Shows warnings of the package on standard error, each once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record in one line."""
        message = " ".join(record.getMessage().split())
        if message not in self._shown:
            self._shown.add(message)
            say(f"warning: {message}", err=True)
