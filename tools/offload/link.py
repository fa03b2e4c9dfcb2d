"""What the link to the edge peer can do, learnt from the transfers that happen anyway."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgewright.tools.nodes.schema import LinkState
from edgewright.tools.offload.tracking import NOISE, Tracked

#: Transfers up to this size tell the round trip; longer ones tell the rate.
_SHORT_KB = 2.0
# At least this share of a transfer counts as what it is to tell of, whatever the rest should take.
_LEAST_SHARE = 0.1
_LEAST_MS = 0.05

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class LinkEstimator:
    """Estimates rate and round trip of one link, and knows when not to try it.

    A transfer is taken to last ``round trip + bytes / rate``. Short transfers tell the round trip,
    long ones the rate; each the more clearly, the larger its part of the transfer was. After a
    failure the link counts as down for a pause that doubles with each further failure; then it may
    be tried again.

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
        self._ms_per_kb = Tracked(1000 / prior_kb_per_s)
        self._rtt_ms = Tracked(max(prior_rtt_ms, _LEAST_MS))
        self._samples = 0
        self._clock = clock
        self._pause_s = 0.0
        self._retry_at = self._observed_at = clock()

    @property
    def age_s(self) -> float:
        """Return the time since the last transfer that succeeded."""
        return self._clock() - self._observed_at

    def observe(self, bytes_up: int, bytes_down: int, transfer_ms: float) -> None:
        """Learn from a transfer that succeeded.

        Args:
            bytes_up: Bytes sent.
            bytes_down: Bytes received.
            transfer_ms: Time of the whole exchange, less what the peer itself worked on it.
        """
        size_kb = (bytes_up + bytes_down) / 1000
        transfer_ms = max(transfer_ms, _LEAST_MS)
        if size_kb > _SHORT_KB and self._rtt_ms.value > transfer_ms:
            self._rtt_ms.see(transfer_ms)
        rtt_ms, sending_ms = self._rtt_ms.value, size_kb * self._ms_per_kb.value
        if size_kb <= _SHORT_KB:
            known, other_ms, size = self._rtt_ms, sending_ms, 1.0
        else:
            known, other_ms, size = self._ms_per_kb, rtt_ms, size_kb
        # The error is the whole transfer's, so it weighs the more, the smaller the part is.
        share = max(1 - other_ms / transfer_ms, _LEAST_SHARE)
        usual = max(1 - other_ms / (rtt_ms + sending_ms), _LEAST_SHARE)
        known.see(share * transfer_ms / size, noise=NOISE / share, usual=NOISE / usual)
        self._samples += 1
        self._observed_at = self._clock()
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
            rate_kb_per_s=1000 / self._ms_per_kb.value,
            rtt_ms=self._rtt_ms.value,
            samples=self._samples,
            up=self._clock() >= self._retry_at,
        )
