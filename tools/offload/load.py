"""How busy a model is, measured from the calls that come anyway."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.arms import ServerLoad

#: Only arrivals of this long count: long enough to count a few, short enough to see a change.
WINDOW_S = 10.0
_MOST_ARRIVALS = 1024
_MOST_SERVICES = 64
# Few arrivals say little of how regular they are; so many made-up Poisson ones are added to them.
_POISSON_GAPS = 10


class ArrivalWindow:
    """The arrivals of the last seconds.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_MOST_ARRIVALS)

    def arrived(self) -> None:
        """Note an arrival."""
        self._times.append(self._clock())

    def rate_per_s(self) -> float:
        """Return the arrival rate over the window."""
        recent = self._recent()
        if len(recent) == _MOST_ARRIVALS:
            return len(recent) / (self._clock() - recent[0])
        return len(recent) / WINDOW_S

    def scv(self) -> float:
        """Return the squared coefficient of variation of the gaps, near 1 while there are few."""
        gaps = np.diff(np.array(self._recent()))
        known = len(gaps) * _scv(gaps) if len(gaps) else 0.0
        return (known + _POISSON_GAPS) / (len(gaps) + _POISSON_GAPS)

    def _recent(self) -> deque[float]:
        oldest = self._clock() - WINDOW_S
        while self._times and self._times[0] < oldest:
            self._times.popleft()
        return self._times


class LoadMeter:
    """Measures arrivals and service times of one model, at no cost to its callers.

    Args:
        servers: Calls that the model serves at once.
        clock: Seconds that never go back.
    """

    def __init__(self, *, servers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = servers
        self._arrivals = ArrivalWindow(clock=clock)
        self._services_s: deque[float] = deque(maxlen=_MOST_SERVICES)

    def arrived(self) -> None:
        """Note an arrival, also of a call that is then turned away."""
        self._arrivals.arrived()

    def served(self, seconds: float) -> None:
        """Note how long a call was served, without its waiting."""
        self._services_s.append(seconds)

    def load(self) -> ServerLoad | None:
        """Return what was measured; None before the first call was served."""
        if not self._services_s:
            return None
        services_s = np.array(self._services_s)
        return ServerLoad(
            arrivals_per_s=self._arrivals.rate_per_s(),
            arrival_scv=self._arrivals.scv(),
            service_ms=float(services_s.mean()) * 1000,
            service_scv=_scv(services_s),
            servers=self._servers,
        )


def _scv(values: NDArray[np.float64]) -> float:
    """Return the squared coefficient of variation; 0 for a single value."""
    mean = float(values.mean())
    return float(values.var()) / mean**2 if mean > 0 else 0.0
