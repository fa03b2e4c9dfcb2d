"""What a target is, and what all of them use."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from edgewright.tools.errors import EdgewrightError

Run = Callable[[random.Random], bool]


@dataclass(frozen=True)
class Target:
    """A target.

    Attributes:
        name: Its name.
        cases: Number of cases in full.
        seconds: Processor time that no single case may exceed; it may wait ten times as long.
        open: Returns the function that runs one case: True if the input was accepted, False if it
            was refused as it should be. Any exception is a crash.
    """

    name: str
    cases: int
    seconds: float
    open: Callable[[], Run]


JSON_TOKENS = [
    b"[" * 500, b'{"a":' * 200, b"1" + b"0" * 400, b"1e999", b"-1", b"NaN", b"Infinity", b"null",
    b"true", b'"\\ud83d"', b"\xed\xa0\xbd", b"\xff", b"\0", b"1.7e308", b"[]", b"{}", b'""', b",",
    b'"\x1b]0;x\x07"', b"\xe2\x80\xa8", b"\xc2\x85", b"\n", b"9223372036854775808",
]  # fmt: skip


def refused(read: Callable[[], object]) -> bool:
    """Return whether a reader refused an input, which it may only do with its own errors."""
    try:
        read()
    except EdgewrightError as error:
        assert 400 <= error.info().status < 600
        assert error.message.encode("utf-8", "replace")
        return True
    return False
