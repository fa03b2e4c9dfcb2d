"""Profiles of applications: how much, how often and in which pattern they use the network.

A category is a way of using the network; each profile draws its own numbers within it, widely
enough that profiles of different categories overlap. Orders of magnitude follow published
measurements: Rao et al., "Network characteristics of video streaming traffic" (CoNEXT 2011), blocks
of video every few seconds; ITU-T G.711 and RFC 3551, a packet of speech every 20 ms; Claypool and
Claypool, "Latency and player actions in online games" (CACM 2006) and Faerber, "Traffic modelling
for fast action network games" (2004), 20 to 60 small packets a second; HTTP Archive, "State of the
Web", tens of objects and some megabytes a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CATEGORIES = ("video", "music", "social", "messaging", "calls", "games", "web", "work")
_SEGMENT = 1448


@dataclass(frozen=True)
class Profile:
    """An application.

    Attributes:
        name: Its name, which says nothing of its category.
        category: One of ``CATEGORIES``.
        seed: What its own numbers are drawn from.
        hides_names: Whether its server names are encrypted.
    """

    name: str
    category: str
    seed: int
    hides_names: bool


@dataclass(frozen=True)
class Session:
    """Packets of an application while it is used.

    Attributes:
        times: Seconds since its beginning, ascending [N].
        sizes: Bytes, negative from the server to the client [N].
        udp: Whether it runs over UDP.
    """

    times: Array
    sizes: NDArray[np.int64]
    udp: bool


class _Packets:
    """Collects the packets of a session."""

    def __init__(self, rng: np.random.Generator, profile: np.random.Generator) -> None:
        self.rng = rng
        self._times: list[Array] = [np.array([0.0, 0.02])]  # the connection is opened
        self._sizes: list[Array] = [np.array([52.0, -52.0])]
        self._rate = profile.uniform(1.5e6, 6e6)  # bytes a second that the access line gives
        self._segment = float(profile.choice([1228, 1378, _SEGMENT, 1500]))

    def add(self, times: Array, sizes: Array) -> None:
        """Add packets; sizes are negative from the server."""
        self._times.append(times)
        self._sizes.append(sizes)

    def transfer(self, start: float, total: float, *, up: bool = False) -> None:
        """Add a transfer at the line's rate, with its acknowledgements."""
        count = max(1, int(total / self._segment))
        times = start + np.cumsum(self.rng.exponential(self._segment / self._rate, count))
        sizes = np.full(count, self._segment + 52)
        sizes[-1] = 52 + total % self._segment
        self.add(times, sizes if up else -sizes)
        acknowledged = times[1::2] + 0.002
        back = np.full(len(acknowledged), 52.0)
        self.add(acknowledged, -back if up else back)

    def request(self, start: float, size: float) -> None:
        """Add a request of the client."""
        self.add(np.array([start]), np.array([52.0 + size]))

    def session(self, seconds: float, udp: bool) -> Session:
        """Return all packets that fall into the session, in order."""
        times, sizes = np.concatenate(self._times), np.concatenate(self._sizes)
        order = np.argsort(times, kind="stable")
        inside = (times[order] >= 0) & (times[order] < seconds)
        return Session(times[order][inside], np.round(sizes[order][inside]).astype(np.int64), udp)


def make_profile(category: str, number: int) -> Profile:
    """Return the profile of a category with a number; the same for the same number."""
    seed = CATEGORIES.index(category) * 1_000_003 + number
    hides = np.random.default_rng((seed, 1)).random() < 0.3
    return Profile(f"brand{seed * 2_654_435_761 % 2**32:08x}", category, seed, bool(hides))


def use(profile: Profile, rng: np.random.Generator, seconds: float) -> Session:
    """Return the packets of an application that is used for some time.

    Args:
        profile: The application.
        rng: Source of randomness for this session.
        seconds: How long it is used.
    """
    own = np.random.default_rng((profile.seed, 2))
    packets = _Packets(rng, own)
    udp = _PATTERNS[profile.category](packets, own, seconds)
    return packets.session(seconds, udp)


def _arrivals(rng: np.random.Generator, mean: float, seconds: float) -> Array:
    """Return moments with gaps that a person makes, from half a second on."""
    gaps = 0.5 + rng.gamma(1.5, max(0.1, mean - 0.5) / 1.5, int(seconds / mean * 2) + 4)
    moments = np.cumsum(gaps) - gaps[0] * rng.random()
    return np.asarray(moments[moments < seconds])


def _video(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    period, rate = own.uniform(2, 9), 10 ** own.uniform(4.8, 5.5)
    ahead = own.uniform(2, 6)
    packets.transfer(0.1, rate * period * ahead)
    for start in np.arange(own.uniform(1, 4), seconds, period):
        begin = start + packets.rng.normal(0, 0.05 * period)
        packets.request(begin, own.uniform(300, 900))
        packets.transfer(begin + 0.04, rate * period * packets.rng.lognormal(0, 0.25))
    return bool(own.random() < 0.5)


def _music(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    rate, period = own.uniform(12e3, 40e3), own.uniform(8, 30)
    packets.transfer(0.1, rate * 20)
    for start in np.arange(own.uniform(2, 6), seconds, period):
        packets.request(start, own.uniform(300, 700))
        packets.transfer(start + 0.05, rate * period * packets.rng.lognormal(0, 0.15))
        if packets.rng.random() < 0.1:  # a cover
            packets.transfer(start + 0.5, packets.rng.uniform(20e3, 90e3))
    return bool(own.random() < 0.2)


def _social(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    pause, things, size = own.uniform(2, 6), own.uniform(1.5, 5), 10 ** own.uniform(4.5, 5.3)
    posts = own.uniform(0.01, 0.06)
    for start in _arrivals(packets.rng, pause, seconds):
        for _ in range(1 + packets.rng.poisson(things)):
            begin = start + packets.rng.exponential(0.25)
            packets.request(begin, packets.rng.uniform(300, 1100))
            packets.transfer(begin + 0.05, size * packets.rng.lognormal(-0.3, 0.9))
        if packets.rng.random() < posts:
            packets.transfer(start + 0.4, packets.rng.uniform(8e4, 6e5), up=True)
    return bool(own.random() < 0.4)


def _messaging(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    pause, photos = own.uniform(4, 15), own.uniform(0.02, 0.09)
    beat = own.uniform(15, 60)
    for start in _arrivals(packets.rng, pause, seconds):
        sign = 1.0 if packets.rng.random() < 0.5 else -1.0
        sizes = 52.0 + packets.rng.uniform(80, 700, 2)
        packets.add(np.array([start, start + 0.08]), sizes * np.array([sign, -sign]))
        typing = start - np.arange(1, 1 + packets.rng.integers(0, 5)) * 0.9
        packets.add(typing, np.full(len(typing), sign * own.uniform(90, 180)))
        if packets.rng.random() < photos:
            up = bool(packets.rng.random() < 0.5)
            packets.transfer(start + 0.3, packets.rng.uniform(4e4, 2.5e5), up=up)
    alive = np.arange(own.uniform(0, 5), seconds, beat)
    packets.add(np.append(alive, alive + 0.05), np.repeat([90.0, -70.0], len(alive)))
    return False


def _calls(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    frame, size = float(own.choice([0.02, 0.04, 0.06])), own.uniform(90, 220)
    with_picture = own.random() < 0.3
    for sign in (1.0, -1.0):
        times = np.arange(packets.rng.uniform(0, frame), seconds, frame)
        times = times + packets.rng.exponential(0.003, len(times))
        packets.add(times, sign * (28 + size * packets.rng.lognormal(0, 0.15, len(times))))
        if with_picture:
            times = np.arange(packets.rng.uniform(0, 0.05), seconds, own.uniform(0.02, 0.04))
            packets.add(times, sign * packets.rng.uniform(700, 1200, len(times)))
    return bool(own.random() < 0.93)


def _games(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    tick_up, tick_down = 1 / own.uniform(8, 33), 1 / own.uniform(8, 30)
    up, down = own.uniform(30, 90), own.uniform(90, 420)
    times = np.arange(packets.rng.uniform(0, tick_up), seconds, tick_up)
    times = times[packets.rng.random(len(times)) < 0.85]  # only when the player acts
    packets.add(times, 28 + up * packets.rng.lognormal(0, 0.2, len(times)))
    times = np.arange(packets.rng.uniform(0, tick_down), seconds, tick_down)
    crowd = 1 + 0.6 * np.sin(times / own.uniform(5, 20))
    packets.add(times, -(28 + down * crowd * packets.rng.lognormal(0, 0.35, len(times))))
    if own.random() < 0.3:
        packets.transfer(0.2, own.uniform(1e5, 1.5e6))  # a level is loaded
    return bool(own.random() < 0.75)


def _web(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    pause, objects = own.uniform(12, 40), own.uniform(10, 35)
    for start in _arrivals(packets.rng, pause, seconds):
        for _ in range(1 + packets.rng.poisson(objects)):
            begin = start + packets.rng.gamma(1.5, 0.5)
            packets.request(begin, packets.rng.uniform(250, 800))
            packets.transfer(begin + 0.04, 10 ** packets.rng.normal(4.2, 0.5))
    return bool(own.random() < 0.3)


def _work(packets: _Packets, own: np.random.Generator, seconds: float) -> bool:
    save, size = own.uniform(2.5, 10), 10 ** own.uniform(3.3, 4.3)
    files = own.uniform(0.01, 0.05)
    for start in _arrivals(packets.rng, save, seconds):
        packets.transfer(start, size * packets.rng.lognormal(0, 0.7), up=True)
        packets.transfer(start + 0.15, size * packets.rng.lognormal(-0.7, 0.7))
        if packets.rng.random() < files:
            up = bool(packets.rng.random() < 0.4)
            packets.transfer(start + 0.5, packets.rng.uniform(2e5, 1.2e6), up=up)
    return False


_PATTERNS: dict[str, Callable[[_Packets, np.random.Generator, float], bool]] = {
    "video": _video,
    "music": _music,
    "social": _social,
    "messaging": _messaging,
    "calls": _calls,
    "games": _games,
    "web": _web,
    "work": _work,
}
