"""Three simulated servers: what every arm really takes, and what a device sees of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.choice import Situation
from edgewright.tools.offload.corrections import reported_stages
from edgewright.tools.offload.link import ProbeTimes
from edgewright.tools.offload.load import WINDOW_S
from edgewright.tools.offload.queueing import mean_wait_s

#: Relative error of a measured time, and jitter of an exchange in milliseconds.
_NOISE, _JITTER_MS = 0.05, 0.5
_ANSWER_BYTES, _HEADER_BYTES = 1000, 300
#: Typical factor by which rates drift between segments, and segments between two jumps.
_DRIFT, _JUMP_EVERY = 2.0, 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server's usual conditions.

    Attributes:
        factor: Its time for a model, relative to the profile.
        rates_kb_per_s: Slowest and fastest rate of the link.
        rtts_ms: Round trips.
        loads: Shares of its time that other callers take.
    """

    factor: float
    rates_kb_per_s: tuple[float, float]
    rtts_ms: tuple[float, ...]
    loads: tuple[float, ...]


PLACES: Mapping[str, Place] = {
    "edge": Place(
        factor=1.0, rates_kb_per_s=(50, 2000), rtts_ms=(5, 10, 40), loads=(0, 0, 0.4, 0.7)
    ),
    "hall": Place(factor=2.0, rates_kb_per_s=(100, 4000), rtts_ms=(3, 8), loads=(0, 0.3, 0.5)),
    "cloud": Place(factor=0.25, rates_kb_per_s=(25, 1000), rtts_ms=(40, 80, 160), loads=(0, 0.3)),
}
#: Share of the segments in which a server is away, and factors of a device that is throttled.
_AWAY = 0.12
_THROTTLED = (1.0, 1.0, 1.5)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions of one server in one segment.

    Attributes:
        rate_kb_per_s: Rate of the link.
        rtt_ms: Round trip.
        load: Share of the server's time that other callers take.
        up: Whether it answers.
    """

    rate_kb_per_s: float
    rtt_ms: float
    load: float
    up: bool


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of the replay with constant conditions.

    Attributes:
        servers: Conditions by server.
        throttled: Factor by which the device is slower than in its profile.
    """

    servers: Mapping[str, Conditions]
    throttled: float


def segments_drawn(count: int, *, seed: int) -> list[Segment]:
    """Draw segments: rates drift and jump; round trips, loads, outages and throttling change."""
    rng = np.random.default_rng(seed)
    found: list[Segment] = []
    rates: dict[str, float] = {}
    servers: dict[str, Conditions] = {}
    throttled = 1.0
    for number in range(count):
        for name, place in PLACES.items():
            slowest, fastest = np.log(place.rates_kb_per_s)
            rates[name] = rates.get(name, 0.0) + rng.normal(0, np.log(_DRIFT))
            if number % _JUMP_EVERY == 0:
                rates[name] = rng.uniform(slowest, fastest)
            rates[name] = float(np.clip(rates[name], slowest, fastest))
            old = servers.get(name)
            servers[name] = Conditions(
                rate_kb_per_s=float(np.exp(rates[name])),
                rtt_ms=old.rtt_ms if old and rng.random() < 0.7 else rng.choice(place.rtts_ms),
                load=old.load if old and rng.random() < 0.7 else rng.choice(place.loads),
                up=rng.random() >= _AWAY,
            )
        if rng.random() < 0.3:
            throttled = float(rng.choice(_THROTTLED))
        found.append(Segment(servers=dict(servers), throttled=throttled))
    return found


class World:
    """What arms really take.

    Args:
        device: The device's profile.
        rng: Draws the noise of what the device sees.
    """

    def __init__(self, device: ModelProfile, rng: np.random.Generator) -> None:
        self._device = device
        self._rng = rng
        camera = device.decoding[0]
        self._input_ms = camera.ms(camera.pixels, camera.bytes), device.preprocess_ms

    def total_ms(self, one: ProfiledArm, segment: Segment) -> float:
        """Return the mean time of an arm; infinite if its server is away."""
        total_ms = segment.throttled * (sum(self._input_ms) + one.device_ms)
        if one.arm.peer is None:
            return total_ms
        server = segment.servers[one.arm.peer]
        if not server.up:
            return float("inf")
        link_ms = server.rtt_ms + (one.bytes_up + _ANSWER_BYTES) / server.rate_kb_per_s
        return total_ms + link_ms + one.edge_ms + self._wait_ms(one.arm.peer, server.load)

    def stages_ms(self, one: ProfiledArm, segment: Segment) -> dict[str, float]:
        """Return the stages that a cost report names, as measured."""
        stages = reported_stages(Situation(device=self._device), one, segment.throttled, 1.0)
        return {name: self._noisy(ms) for name, ms in stages.items()}

    def transfer_ms(self, one: ProfiledArm, server: Conditions) -> float:
        """Return the time of an arm's transfer, as measured."""
        link_ms = server.rtt_ms + (one.bytes_up + _ANSWER_BYTES) / server.rate_kb_per_s
        return self._noisy(link_ms) + self._jitter_ms()

    def probe(self, server: Conditions, payload: int) -> ProbeTimes:
        """Return the times of a link probe."""
        header_ms = _HEADER_BYTES / server.rate_kb_per_s
        empty_ms = server.rtt_ms + header_ms + self._jitter_ms()
        loaded_ms = server.rtt_ms + header_ms + payload / server.rate_kb_per_s + self._jitter_ms()
        return ProbeTimes(empty_ms, loaded_ms, payload, _HEADER_BYTES)

    def load(self, name: str, recent: Sequence[float]) -> ServerLoad | None:
        """Return a server's load as it reports it: by its arrivals in the last seconds.

        Args:
            name: The server.
            recent: Its true loads, one for each of the last ``WINDOW_S`` seconds.
        """
        service_ms = self._service_ms(name)
        expected = sum(recent) / len(recent) * WINDOW_S * 1000 / service_ms
        arrivals = int(self._rng.poisson(expected))
        if not arrivals:
            return None
        return ServerLoad(
            arrivals_per_s=arrivals / WINDOW_S, service_ms=service_ms, service_scv=0.0
        )

    def _wait_ms(self, name: str, load: float) -> float:
        service_s = self._service_ms(name) / 1000
        return 1000 * mean_wait_s(load / service_s, service_s, service_scv=0.0)

    def _service_ms(self, name: str) -> float:
        return PLACES[name].factor * self._device.whole_ms / self._device.slowdown

    def _noisy(self, ms: float) -> float:
        return float(ms * np.exp(self._rng.normal(0, _NOISE)))

    def _jitter_ms(self) -> float:
        return float(self._rng.exponential(_JITTER_MS))
