"""Traces of a person's use of applications, as a capture file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgewright.tools.simulation.apps import CATEGORIES, Profile, use
from edgewright.tools.simulation.packets import (
    RESOLVER,
    TCP,
    UDP,
    Wire,
    client_hello,
    dns_answer,
    write_capture,
)


@dataclass(frozen=True)
class Stretch:
    """A time during which one application is used.

    Attributes:
        profile: The application.
        start_s: When it begins.
        seconds: How long it lasts.
    """

    profile: Profile
    start_s: float
    seconds: float


def plan_usage(
    rng: np.random.Generator,
    shares: Mapping[str, float],
    profiles: Sequence[Profile],
    *,
    minutes: float = 10.0,
    idle: float = 0.15,
) -> list[Stretch]:
    """Divide a time among applications; one is used at a time, music also beside another one.

    Args:
        rng: Source of randomness.
        shares: Share of the time of use by category.
        profiles: The applications that the person has.
        minutes: Length of the trace.
        idle: Share of the time in which no application is used.
    """
    total = minutes * 60
    weights = np.array([shares.get(name, 0.0) for name in CATEGORIES])
    seconds = weights / weights.sum() * total * (1 - idle)
    stretches: list[Stretch] = []
    parts: list[tuple[Profile, float]] = []
    for category, left in zip(CATEGORIES, seconds, strict=True):
        own = [one for one in profiles if one.category == category]
        if left < 15 or not own:
            continue
        pieces = max(1, min(3, int(left // 60)))
        shares_of = rng.dirichlet(np.full(pieces, 4.0))
        parts += [(own[rng.integers(len(own))], float(left * share)) for share in shares_of]
    rng.shuffle(parts)  # type: ignore[arg-type]
    pause = total * idle / max(1, len(parts))
    now = 0.0
    for profile, length in parts:
        stretches.append(Stretch(profile, now, length))
        now += length + pause
    return stretches


def capture(rng: np.random.Generator, stretches: Sequence[Stretch]) -> bytes:
    """Return what the network shows of a person's use, as a capture file.

    Args:
        rng: Source of randomness.
        stretches: When which application is used.
    """
    packets: list[Wire] = []
    for number, stretch in enumerate(stretches):
        packets.extend(_packets(rng, stretch, 40_000 + 16 * number))
    packets.sort(key=lambda packet: packet.time_s)
    return write_capture(packets)


def _packets(rng: np.random.Generator, stretch: Stretch, port: int) -> list[Wire]:
    """Return the packets of one stretch: the name's address, the opening, then the session."""
    profile = stretch.profile
    session = use(profile, rng, stretch.seconds)
    own = np.random.default_rng((profile.seed, 3))
    server = bytes((int(own.integers(11, 120)), *own.integers(1, 255, 3).tolist()))
    name = f"{'abcdefgh'[profile.seed % 8]}.{profile.name}.example"
    protocol = UDP if session.udp else TCP
    at = stretch.start_s
    found: list[Wire] = []
    if not profile.hides_names:
        answer = dns_answer(name, server)
        found.append(Wire(at, RESOLVER, 53, port + 15, UDP, False, 28 + len(answer), answer))
    if protocol == TCP:
        found.append(Wire(at + 0.01, server, 443, port, TCP, True, 60, opens=True))
        hello = b"" if profile.hides_names else client_hello(name)
        found.append(Wire(at + 0.03, server, 443, port, TCP, True, 40 + len(hello), hello))
    server_port = 443 if protocol == TCP or profile.category in ("video", "social", "web") else 3478
    for time, size in zip(session.times + at + 0.05, session.sizes, strict=True):
        up = bool(size > 0)
        found.append(Wire(float(time), server, server_port, port, protocol, up, abs(int(size))))
    return found
