"""What the link to the edge peer can do, learnt from the transfers that happen anyway."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from edgewright.tools.contracts.arms import LinkState
from edgewright.tools.offload.tracking import NOISE, Tracked

#: Transfers up to this size tell the round trip; longer ones tell the rate.
_SHORT_KB = 2.0
# At least this share of a transfer counts as what it is to tell of, whatever the rest should take.
_LEAST_SHARE = 0.1
_LEAST_MS = 0.05

#: What fills a look should take so long, which is more than a hiccup and less than is felt.
_FILLING_MS = 40.0
_LEAST_FILLING, _MOST_FILLING = 128, 2048

#: How fast jitter is followed, the least that is believed, and how much of a jump counts as it.
_JITTER_GAIN, _LEAST_JITTER_MS, _MOST_DEVIATIONS = 0.25, 0.2, 2.0

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class ProbeTimes(NamedTuple):
    """What came of a look: of two exchanges, one after the other, that differ by a filling.

    Attributes:
        empty_ms: Time of the first, less what the peer itself worked on it.
        filled_ms: Likewise, of the second.
        filling: Bytes that the second carried and the first did not.
        headers: Bytes that each carried besides, both ways together.
    """

    empty_ms: float
    filled_ms: float
    filling: int
    headers: int

    @property
    def slowest_ms_per_kb(self) -> float:
        """Most that a kilobyte can take where these exchanges got through."""
        empty = self.empty_ms / self.headers
        return 1000 * min(empty, self.filled_ms / (self.headers + self.filling))


class LinkEstimator:
    """Estimates rate and round trip of one link, and knows when not to try it.

    A transfer is taken to last ``round trip + bytes / rate``. Short transfers tell the round trip,
    long ones the rate; each the more clearly, the larger its part of the transfer was. A look, made
    of two exchanges for no other end, tells both, on a slow link by few bytes. After a failure the
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
        self._ms_per_kb = Tracked(1000 / prior_kb_per_s)
        self._rtt_ms = Tracked(max(prior_rtt_ms, _LEAST_MS))
        self._jitter_ms = 0.0  # not known
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
        size_kb, transfer_ms = (bytes_up + bytes_down) / 1000, max(transfer_ms, _LEAST_MS)
        if size_kb <= _SHORT_KB:
            self._see_rtt(size_kb, transfer_ms)
        else:
            if self._rtt_ms.value > transfer_ms:
                self._rtt_ms.see(transfer_ms)
            self._see_rate(size_kb, self._rtt_ms.value, transfer_ms)
        self._succeeded()

    def filling(self, empty_ms: float) -> int:
        """Return how many bytes the second exchange of a look should carry.

        As many as take some tens of milliseconds at the rate believed, within bounds; the fewest
        if the first exchange says that the link has become slower than it is believed to be.

        Args:
            empty_ms: Time of the first exchange, which carried nothing.
        """
        if empty_ms > self._rtt_ms.value + _FILLING_MS:
            return _LEAST_FILLING
        wanted = _FILLING_MS / self._ms_per_kb.value * 1000
        return round(min(max(wanted, _LEAST_FILLING), _MOST_FILLING))

    def observe_probe(self, probe: ProbeTimes) -> bool:
        """Learn from a look.

        Returns:
            Whether the rate seems to have jumped, which one hiccup can make it seem; then it is
            worth to look again at once.
        """
        empty_ms = max(probe.empty_ms, _LEAST_MS)
        if not self._jitter_ms:
            self._jitter_ms = NOISE * empty_ms
        jumped = self._see_filling(probe.filling / 1000, probe.filled_ms - empty_ms)
        # Where shaking hides the difference, each exchange still says how slow the link is at most:
        # all that it carried went through in its time.
        most = probe.slowest_ms_per_kb
        if _LEAST_MS < most < self._ms_per_kb.value:
            jumped |= self._ms_per_kb.see(most)
        self._see_jitter(empty_ms)
        self._see_rtt(0.0, empty_ms)
        self._succeeded()
        return jumped

    def _see_filling(self, size_kb: float, sending_ms: float) -> bool:
        # Both exchanges shake, one right after the other, so their difference is off by so much.
        error_ms = math.sqrt(2) * max(self._jitter_ms, _LEAST_JITTER_MS)
        seen = max(sending_ms, error_ms) / size_kb
        # What is lost in the jitter was sent at this rate or a higher one.
        if sending_ms <= error_ms and seen >= self._ms_per_kb.value:
            return False
        usual = error_ms / (size_kb * self._ms_per_kb.value)
        return self._ms_per_kb.see(
            seen,
            noise=math.hypot(NOISE, error_ms / (seen * size_kb)),
            usual=math.hypot(NOISE, usual),
        )

    def _see_jitter(self, empty_ms: float) -> None:
        """Follow by how much round trips differ, as RFC 6298 does; a jump is no jitter."""
        deviation_ms = abs(empty_ms - self._rtt_ms.value)
        deviation_ms = min(deviation_ms, _MOST_DEVIATIONS * self._jitter_ms)
        self._jitter_ms += _JITTER_GAIN * (deviation_ms - self._jitter_ms)

    def _see_rtt(self, size_kb: float, transfer_ms: float) -> None:
        sending_ms = size_kb * self._ms_per_kb.value
        # The error is the whole transfer's, so it weighs the more, the smaller the part is.
        share = max(1 - sending_ms / transfer_ms, _LEAST_SHARE)
        usual = max(1 - sending_ms / (self._rtt_ms.value + sending_ms), _LEAST_SHARE)
        self._rtt_ms.see(share * transfer_ms, noise=NOISE / share, usual=NOISE / usual)

    def _see_rate(self, size_kb: float, rtt_ms: float, transfer_ms: float) -> None:
        sending_ms = size_kb * self._ms_per_kb.value
        share = max(1 - rtt_ms / transfer_ms, _LEAST_SHARE)
        usual = max(1 - rtt_ms / (rtt_ms + sending_ms), _LEAST_SHARE)
        seen = share * transfer_ms / size_kb
        # What is lost in the round trip was sent at this rate or a higher one.
        if share > _LEAST_SHARE or seen < self._ms_per_kb.value:
            self._ms_per_kb.see(seen, noise=NOISE / share, usual=NOISE / usual)

    def _succeeded(self) -> None:
        self._samples += 1
        self._observed_at = self._retry_at = self._clock()
        self._pause_s = 0.0

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
