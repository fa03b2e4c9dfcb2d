"""Measuring the load on a model from its regular calls."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from edgewright.tools.contracts.arms import ServerLoad

#: Length of the arrival window: long enough for a few arrivals, short enough to notice changes.
WINDOW_S = 10.0
_MAX_ARRIVALS = 1024
_MAX_SERVICES = 64
# Number of Poisson gaps assumed as a prior, since a few arrivals say little about their regularity.
_POISSON_GAPS = 10


class ArrivalWindow:
    """The arrivals within the last ``WINDOW_S`` seconds.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque()
        #: Sum of the squared gaps, kept up because servers report their load with each response.
        self._squares = 0.0

    def arrived(self) -> None:
        """Record an arrival."""
        now = self._clock()
        if self._times:
            self._squares += (now - self._times[-1]) ** 2
        self._times.append(now)
        if len(self._times) > _MAX_ARRIVALS:
            self._drop_oldest()

    def rate_per_s(self) -> float:
        """Return the arrival rate over the window."""
        recent = self._recent()
        if len(recent) == _MAX_ARRIVALS:
            return len(recent) / (self._clock() - recent[0])
        return len(recent) / WINDOW_S

    def scv(self) -> float:
        """Return the squared coefficient of variation of the gaps, close to 1 if there are few."""
        times = self._recent()
        gaps = max(0, len(times) - 1)
        mean = (times[-1] - times[0]) / gaps if gaps else 0.0
        variance = max(0.0, self._squares / gaps - mean**2) if gaps else 0.0
        observed = gaps * variance / mean**2 if mean > 0 else 0.0
        return (observed + _POISSON_GAPS) / (gaps + _POISSON_GAPS)

    def _recent(self) -> deque[float]:
        oldest = self._clock() - WINDOW_S
        while self._times and self._times[0] < oldest:
            self._drop_oldest()
        return self._times

    def _drop_oldest(self) -> None:
        dropped = self._times.popleft()
        if len(self._times) > 1:
            self._squares -= (self._times[0] - dropped) ** 2
        else:  # no gaps are left, nor what rounding has added up
            self._squares = 0.0


class LoadMeter:
    """Measures the arrivals and service times of one model.

    Args:
        servers: Number of calls that the model serves concurrently.
        clock: Monotonic clock in seconds.
    """

    def __init__(self, *, servers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = servers
        self._arrivals = ArrivalWindow(clock=clock)
        self._services_s: deque[float] = deque()
        #: Their sum and the sum of their squares, kept up for the same reason.
        self._sum_s = self._squares_s2 = 0.0

    def arrived(self) -> None:
        """Record an arrival, including calls that are then rejected."""
        self._arrivals.arrived()

    def served(self, seconds: float) -> None:
        """Record the service time of a call, waiting excluded."""
        self._services_s.append(seconds)
        self._sum_s += seconds
        self._squares_s2 += seconds**2
        if len(self._services_s) > _MAX_SERVICES:
            dropped = self._services_s.popleft()
            self._sum_s -= dropped
            self._squares_s2 -= dropped**2

    @property
    def mean_s(self) -> float:
        """Mean service time of recent calls; 0 before the first one."""
        return self._sum_s / len(self._services_s) if self._services_s else 0.0

    def load(self) -> ServerLoad | None:
        """Return the measured load; None before the first call has been served."""
        if not self._services_s:
            return None
        return ServerLoad(
            arrivals_per_s=self._arrivals.rate_per_s(),
            arrival_scv=self._arrivals.scv(),
            service_ms=self.mean_s * 1000,
            service_scv=self._scv(),
            servers=self._servers,
        )

    def _scv(self) -> float:
        """Return the services' squared coefficient of variation; 0 for a single one."""
        mean = self.mean_s
        variance = max(0.0, self._squares_s2 / len(self._services_s) - mean**2)
        return variance / mean**2 if mean > 0 else 0.0
