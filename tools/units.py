"""Amounts as people read them."""

from __future__ import annotations


def size(count: int) -> str:
    """Write a number of bytes, in units of 1000."""
    if count < 1000:
        return f"{count} B"
    value, unit = count / 1000, "KB"
    for larger in ("MB", "GB"):
        if value >= 999.5:
            value, unit = value / 1000, larger
    return f"{value:.{1 if value < 10 else 0}f} {unit}"


def seconds(value: float) -> str:
    """Write a time with three digits."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} s"


def joules(value: float) -> str:
    """Write an energy with two digits or more."""
    return f"{value:.{2 if value < 1 else 1 if value < 100 else 0}f} J"


def counted(count: int, noun: str) -> str:
    """Write a number of things, with the noun in the plural unless there is one."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
