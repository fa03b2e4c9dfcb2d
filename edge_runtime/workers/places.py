"""Places for calls, shared among callers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from edgewright.tools.errors import OverloadedError

#: However many callers there are, at most this many times the number of places is taken.
_MAX_OVERFLOW = 2


class Places:
    """A limited number of places.

    When all are taken, a caller that holds less than its share still gets one, so that a caller
    with many calls cannot shut out one with few.

    Args:
        number: Number of places.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    def take(self, caller: str, *, usual_s: Callable[[], float]) -> None:
        """Take a place.

        Args:
            caller: Name of the caller.
            usual_s: Returns the usual time after which a place becomes free.

        Raises:
            OverloadedError: There is no place for this caller.
        """
        taken = len(self)
        if taken >= self._number:
            callers = len(self._taken) + (caller not in self._taken)
            share = max(1, self._number // callers)
            if self._taken[caller] >= share or taken >= _MAX_OVERFLOW * self._number:
                wait_s = taken * usual_s()
                raise OverloadedError(
                    f"all {taken} places are taken; try again in {max(wait_s, 1.0):.0f} s",
                    retry_after_s=wait_s,
                )
        self._taken[caller] += 1

    def free(self, caller: str) -> None:
        """Free a place.

        Args:
            caller: Name of the caller that took it.
        """
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]
