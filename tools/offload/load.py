"""Measuring the load on a model from its regular calls."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

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
        self._times: deque[float] = deque(maxlen=_MAX_ARRIVALS)

    def arrived(self) -> None:
        """Record an arrival."""
        self._times.append(self._clock())

    def rate_per_s(self) -> float:
        """Return the arrival rate over the window."""
        recent = self._recent()
        if len(recent) == _MAX_ARRIVALS:
            return len(recent) / (self._clock() - recent[0])
        return len(recent) / WINDOW_S

    def scv(self) -> float:
        """Return the squared coefficient of variation of the gaps, close to 1 if there are few."""
        gaps = np.diff(np.array(self._recent()))
        observed = len(gaps) * _scv(gaps) if len(gaps) else 0.0
        return (observed + _POISSON_GAPS) / (len(gaps) + _POISSON_GAPS)

    def _recent(self) -> deque[float]:
        oldest = self._clock() - WINDOW_S
        while self._times and self._times[0] < oldest:
            self._times.popleft()
        return self._times


class LoadMeter:
    """Measures the arrivals and service times of one model.

    Args:
        servers: Number of calls that the model serves concurrently.
        clock: Monotonic clock in seconds.
    """

    def __init__(self, *, servers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = servers
        self._arrivals = ArrivalWindow(clock=clock)
        self._services_s: deque[float] = deque(maxlen=_MAX_SERVICES)

    def arrived(self) -> None:
        """Record an arrival, including calls that are then rejected."""
        self._arrivals.arrived()

    def served(self, seconds: float) -> None:
        """Record the service time of a call, waiting excluded."""
        self._services_s.append(seconds)

    @property
    def mean_s(self) -> float:
        """Mean service time of recent calls; 0 before the first one."""
        return sum(self._services_s) / len(self._services_s) if self._services_s else 0.0

    def load(self) -> ServerLoad | None:
        """Return the measured load; None before the first call has been served."""
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
