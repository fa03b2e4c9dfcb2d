"""The distribution of response times at a queue, not only their mean.

A wait is zero, or exponentially distributed with the mean that Erlang's formula and the correction
of Allen and Cunneen give (A. O. Allen, "Probability, Statistics, and Queueing Theory with Computer
Science Applications", 2nd edition, 1990, chapter 5). For M/M/c that is exact.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from edgewright.tools.offload.queueing import erlang_c, mean_wait_s


class Phase(NamedTuple):
    """One way in which a service may go: a constant time, and an exponential one after it.

    Attributes:
        probability: How often.
        shift_s: The constant time.
        mean_s: Mean of the exponential time; 0 if there is none.
    """

    probability: float
    shift_s: float
    mean_s: float


def phases(mean_s: float, scv: float) -> list[Phase]:
    """Return phases of a service with a mean and a squared coefficient of variation.

    Up to 1 the service is a constant and an exponential time, which includes both constant and
    exponential services; above, one of two exponential ones, with balanced means.
    """
    if scv <= 1:
        deviation_s = mean_s * math.sqrt(scv)
        return [Phase(1.0, mean_s - deviation_s, deviation_s)]
    likely = (1 + math.sqrt((scv - 1) / (scv + 1))) / 2
    return [Phase(share, 0.0, mean_s / (2 * share)) for share in (likely, 1 - likely)]


class Queue:
    """A first-come-first-served queue before equal servers.

    Args:
        arrivals_per_s: Poisson arrivals.
        service_s: Mean service time.
        servers: Number of servers.
        scv: Squared coefficient of variation of the service times.

    Raises:
        InputError: An argument is invalid (``invalid_traffic``).
        OverloadedError: The load is at least 1 (``load_too_high``).
    """

    def __init__(self, arrivals_per_s: float, service_s: float, servers: int, scv: float) -> None:
        self.waits = erlang_c(servers, arrivals_per_s * service_s)
        self.mean_wait_s = mean_wait_s(arrivals_per_s, service_s, servers, service_scv=scv)
        self.mean_s = service_s + self.mean_wait_s
        self._phases = phases(service_s, scv)

    def exceeds(self, seconds: float) -> float:
        """Return the probability that a response takes longer."""
        wait_s = self.mean_wait_s / self.waits if self.waits else 0.0
        total = 0.0
        for probability, shift_s, mean_s in self._phases:
            left_s = seconds - shift_s
            served = _exceeds(left_s, mean_s, 0.0)
            total += probability * (
                (1 - self.waits) * served + self.waits * _exceeds(left_s, mean_s, wait_s)
            )
        return total

    def quantile_s(self, share: float) -> float:
        """Return the time within which a share of the responses arrive.

        Args:
            share: Between 0 and 1, both excluded.
        """
        low, high = 0.0, self.mean_s
        while self.exceeds(high) > 1 - share:
            low, high = high, 2 * high
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.exceeds(middle) > 1 - share else (low, middle)
        return high


def _exceeds(seconds: float, first_s: float, second_s: float) -> float:
    """Return the probability that the sum of two exponential times is longer."""
    if seconds < 0:
        return 1.0
    first_s, second_s = max(first_s, second_s), min(first_s, second_s)
    if not first_s:
        return 0.0
    if not second_s:
        return math.exp(-seconds / first_s)
    if first_s - second_s < 1e-6 * first_s:
        return (1 + seconds / first_s) * math.exp(-seconds / first_s)
    longer = first_s * math.exp(-seconds / first_s) - second_s * math.exp(-seconds / second_s)
    return longer / (first_s - second_s)
