"""What to remove from a folder that may not grow without end: what is too old, then the oldest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Share of a size limit that remains once it was passed, so that it is not passed again at once.
REMAINING = 0.8


@dataclass(frozen=True, order=True)
class Stored:
    """Something stored that can be removed; sorts by its last use.

    Attributes:
        used_at: When it was last used, in seconds since the epoch.
        name: Its name.
        bytes: Its size.
    """

    used_at: float
    name: str
    bytes: int


def surplus(
    stored: Iterable[Stored],
    *,
    max_bytes: float,
    expired_at: float,
    needed: Callable[[Stored], bool] = lambda each: False,
) -> list[Stored]:
    """Return what has to be removed, oldest first.

    Args:
        stored: What there is.
        max_bytes: Size limit. If it is passed, the oldest go until ``REMAINING`` of it is left.
        expired_at: What was last used before this time goes, in seconds since the epoch.
        needed: Whether something must stay, whatever the limits say.
    """
    ordered = sorted(stored)
    total = sum(each.bytes for each in ordered)
    target = total if total <= max_bytes else REMAINING * max_bytes
    removed: list[Stored] = []
    for each in ordered:
        if (each.used_at < expired_at or total > target) and not needed(each):
            removed.append(each)
            total -= each.bytes
    return removed
