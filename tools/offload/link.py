"""Estimating the link to the edge peer from regular transfers and occasional link probes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from edgewright.tools.contracts.arms import LinkState
from edgewright.tools.offload.tracking import NOISE, LogKalmanFilter

#: Transfers up to this size update the round-trip estimate; larger ones update the rate.
_SHORT_KB = 2.0
# Minimum share of a transfer's time that is attributed to the quantity it updates.
_MIN_SHARE = 0.1
_MIN_MS = 0.05

#: Target transfer time of a probe's payload: longer than jitter, shorter than a noticeable delay.
_PAYLOAD_MS = 40.0
_MIN_PAYLOAD_BYTES, _MAX_PAYLOAD_BYTES = 128, 2048

#: Gain of the jitter estimate, its minimum, and the cap on a deviation in multiples of the jitter.
_JITTER_GAIN, _MIN_JITTER_MS, _MAX_DEVIATIONS = 0.25, 0.2, 2.0

_MIN_PAUSE_S = 1.0
_MAX_PAUSE_S = 30.0


class ProbeTimes(NamedTuple):
    """Result of a link probe: two consecutive exchanges, of which only the second has a payload.

    Attributes:
        empty_ms: Time of the first exchange, minus the peer's own time.
        loaded_ms: Time of the second exchange, minus the peer's own time.
        payload_bytes: Payload bytes of the second exchange.
        headers: Other bytes of each exchange, in both directions together.
    """

    empty_ms: float
    loaded_ms: float
    payload_bytes: int
    headers: int

    @property
    def slowest_ms_per_kb(self) -> float:
        """Upper bound on the time per kilobyte: these exchanges took no longer."""
        empty = self.empty_ms / self.headers
        return 1000 * min(empty, self.loaded_ms / (self.headers + self.payload_bytes))


class LinkEstimator:
    """Estimates the rate and round-trip time of a link, and backs off after failures.

    The model of a transfer is ``round trip + bytes / rate``. Small transfers update the round trip,
    large ones the rate, weighted by the share of the transfer's time that the quantity explains. A
    link probe, two exchanges with no other purpose, updates both, with few bytes on a slow link.
    After a failure the link counts as down for a pause that doubles with each further failure.

    Args:
        prior_kb_per_s: Assumed rate before the first transfer.
        prior_rtt_ms: Assumed round-trip time before the first transfer.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self,
        prior_kb_per_s: float,
        prior_rtt_ms: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ms_per_kb = LogKalmanFilter(1000 / prior_kb_per_s)
        self._rtt_ms = LogKalmanFilter(max(prior_rtt_ms, _MIN_MS))
        self._jitter_ms = 0.0  # 0 means unknown
        self._samples = 0
        self._clock = clock
        self._pause_s = 0.0
        self._retry_at = self._observed_at = clock()

    @property
    def age_s(self) -> float:
        """Return the time since the last successful transfer."""
        return self._clock() - self._observed_at

    def observe(self, bytes_up: int, bytes_down: int, transfer_ms: float) -> None:
        """Update the estimates from a successful transfer.

        Args:
            bytes_up: Bytes sent.
            bytes_down: Bytes received.
            transfer_ms: Time of the whole exchange, minus the peer's own time.
        """
        size_kb, transfer_ms = (bytes_up + bytes_down) / 1000, max(transfer_ms, _MIN_MS)
        if size_kb <= _SHORT_KB:
            self._update_rtt(size_kb, transfer_ms)
        else:
            if self._rtt_ms.value > transfer_ms:
                self._rtt_ms.update(transfer_ms)
            self._update_rate(size_kb, self._rtt_ms.value, transfer_ms)
        self._succeeded()

    def payload_bytes(self, empty_ms: float) -> int:
        """Return the payload size for the second exchange of a link probe.

        It takes a few tens of milliseconds at the estimated rate, within bounds. It is minimal if
        the first exchange shows that the link is slower than estimated.

        Args:
            empty_ms: Time of the first exchange, which had no payload.
        """
        if empty_ms > self._rtt_ms.value + _PAYLOAD_MS:
            return _MIN_PAYLOAD_BYTES
        target_bytes = _PAYLOAD_MS / self._ms_per_kb.value * 1000
        return round(min(max(target_bytes, _MIN_PAYLOAD_BYTES), _MAX_PAYLOAD_BYTES))

    def observe_probe(self, probe: ProbeTimes) -> bool:
        """Update the estimates from a link probe.

        Returns:
            Whether the rate seems to have jumped. A single delay can cause this too, so the link
            should then be probed again at once.
        """
        empty_ms = max(probe.empty_ms, _MIN_MS)
        if not self._jitter_ms:
            self._jitter_ms = NOISE * empty_ms
        jumped = self._update_from_payload(probe.payload_bytes / 1000, probe.loaded_ms - empty_ms)
        # Even if jitter hides the difference, each exchange bounds the time per kilobyte: all of
        # its bytes passed in its time.
        upper_bound = probe.slowest_ms_per_kb
        if _MIN_MS < upper_bound < self._ms_per_kb.value:
            jumped |= self._ms_per_kb.update(upper_bound)
        self._update_jitter(empty_ms)
        self._update_rtt(0.0, empty_ms)
        self._succeeded()
        return jumped

    def _update_from_payload(self, size_kb: float, sending_ms: float) -> bool:
        # Error of the difference between two exchanges, each subject to jitter.
        error_ms = math.sqrt(2) * max(self._jitter_ms, _MIN_JITTER_MS)
        observed = max(sending_ms, error_ms) / size_kb
        # If jitter hides the payload, the rate is at least this high.
        if sending_ms <= error_ms and observed >= self._ms_per_kb.value:
            return False
        expected_error = error_ms / (size_kb * self._ms_per_kb.value)
        return self._ms_per_kb.update(
            observed,
            noise=math.hypot(NOISE, error_ms / (observed * size_kb)),
            expected_noise=math.hypot(NOISE, expected_error),
        )

    def _update_jitter(self, empty_ms: float) -> None:
        """Update the jitter estimate as in RFC 6298, with capped deviations to ignore jumps."""
        deviation_ms = abs(empty_ms - self._rtt_ms.value)
        deviation_ms = min(deviation_ms, _MAX_DEVIATIONS * self._jitter_ms)
        self._jitter_ms += _JITTER_GAIN * (deviation_ms - self._jitter_ms)

    def _update_rtt(self, size_kb: float, transfer_ms: float) -> None:
        sending_ms = size_kb * self._ms_per_kb.value
        # The error is that of the whole transfer, so a smaller share has a larger relative error.
        share = max(1 - sending_ms / transfer_ms, _MIN_SHARE)
        expected_share = max(1 - sending_ms / (self._rtt_ms.value + sending_ms), _MIN_SHARE)
        self._rtt_ms.update(
            share * transfer_ms, noise=NOISE / share, expected_noise=NOISE / expected_share
        )

    def _update_rate(self, size_kb: float, rtt_ms: float, transfer_ms: float) -> None:
        sending_ms = size_kb * self._ms_per_kb.value
        share = max(1 - rtt_ms / transfer_ms, _MIN_SHARE)
        expected_share = max(1 - rtt_ms / (rtt_ms + sending_ms), _MIN_SHARE)
        observed = share * transfer_ms / size_kb
        # If the round trip hides the payload, the rate is at least this high.
        if share > _MIN_SHARE or observed < self._ms_per_kb.value:
            self._ms_per_kb.update(
                observed, noise=NOISE / share, expected_noise=NOISE / expected_share
            )

    def _succeeded(self) -> None:
        self._samples += 1
        self._observed_at = self._retry_at = self._clock()
        self._pause_s = 0.0

    def failed(self) -> None:
        """Record that the peer could not be reached or a transfer was interrupted."""
        now = self._clock()
        if now < self._retry_at:
            return  # the call began before the pause and is not a new failure
        self._pause_s = min(max(2 * self._pause_s, _MIN_PAUSE_S), _MAX_PAUSE_S)
        self._retry_at = now + self._pause_s

    def state(self) -> LinkState:
        """Return the current estimate; the link counts as up again after the pause of a failure."""
        return LinkState(
            rate_kb_per_s=1000 / self._ms_per_kb.value,
            rtt_ms=self._rtt_ms.value,
            samples=self._samples,
            up=self._clock() >= self._retry_at,
        )
