"""What the link to the edge peer can do, learnt from the transfers that happen anyway."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from edgewright.tools.nodes.schema import LinkState

#: Transfers up to this size are all round trip; longer ones tell of the rate.
_SHORT_KB = 2.0
# Weight of the newest transfer: after a sudden change three of them settle the estimate.
_WEIGHT = 0.7
# At least this share of a long transfer is counted as the rate's, however long the round trip was.
_LEAST_RATE_SHARE = 0.1
_LEAST_MS = 0.05

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class LinkEstimator:
    """Estimates rate and round trip of one link, and knows when not to try it.

    A transfer is taken to last ``round trip + bytes / rate``. Short transfers tell the round trip,
    long ones the rate, each averaged on a logarithmic scale so that ten times slower and ten times
    faster are learnt alike and one hiccup does not outweigh what was known. After a failure the
    link counts as down for a pause that doubles with each further failure; then it may be tried
    again.

    Args:
        prior_kb_per_s: Rate to believe before the first transfer.
        prior_rtt_ms: Round trip to believe before the first transfer.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        prior_kb_per_s: float,
        prior_rtt_ms: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ms_per_kb = 1000 / prior_kb_per_s
        self._rtt_ms = max(prior_rtt_ms, _LEAST_MS)
        self._short_samples = 0
        self._long_samples = 0
        self._clock = clock
        self._pause_s = 0.0
        self._retry_at = clock()

    def observe(self, bytes_up: int, bytes_down: int, transfer_ms: float) -> None:
        """Learn from a transfer that succeeded.

        Args:
            bytes_up: Bytes sent.
            bytes_down: Bytes received.
            transfer_ms: Time of the whole exchange, less what the peer itself worked on it.
        """
        size_kb = (bytes_up + bytes_down) / 1000
        transfer_ms = max(transfer_ms, _LEAST_MS)
        if size_kb <= _SHORT_KB:
            self._rtt_ms = _average(self._rtt_ms, transfer_ms, first=not self._short_samples)
            self._short_samples += 1
        else:
            self._rtt_ms = min(self._rtt_ms, transfer_ms)
            sending_ms = max(transfer_ms - self._rtt_ms, _LEAST_RATE_SHARE * transfer_ms)
            self._ms_per_kb = _average(
                self._ms_per_kb, sending_ms / size_kb, first=not self._long_samples
            )
            self._long_samples += 1
        self._pause_s = 0.0
        self._retry_at = self._clock()

    def failed(self) -> None:
        """Note that the peer could not be reached, or that a transfer broke off."""
        now = self._clock()
        if now < self._retry_at:
            return  # a call that had begun before the pause; it says nothing new
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._retry_at = now + self._pause_s

    def state(self) -> LinkState:
        """Return what is known now; ``up`` again once the pause after a failure is over."""
        return LinkState(
            rate_kb_per_s=1000 / self._ms_per_kb,
            rtt_ms=self._rtt_ms,
            samples=self._short_samples + self._long_samples,
            up=self._clock() >= self._retry_at,
        )


def _average(known: float, seen: float, *, first: bool) -> float:
    """Return the geometric mean of both, weighted; the first thing seen replaces the prior."""
    return seen if first else math.exp((1 - _WEIGHT) * math.log(known) + _WEIGHT * math.log(seen))
