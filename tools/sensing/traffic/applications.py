"""From flows to applications: grouped by who serves them, described by how they use the network."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.sensing.packets.flows import Flow
from edgewright.tools.sensing.packets.headers import UDP

Array = NDArray[np.float64]

#: Names and services that belong to no application.
_INFRASTRUCTURE_PORTS = frozenset({53, 67, 68, 123, 137, 138, 1900, 5353, 5355})
#: Fewer packets or less time say nothing.
_MIN_PACKETS, _MIN_SECONDS = 12, 10.0
#: Packets after a silence of this length belong to another use of the application.
_SILENCE_S = 90.0
#: A transfer: bytes from the server without a pause of this length.
_PAUSE_S = 0.8
_LARGE_BYTES = 15_000
#: Second-level domains below which others register their names.
_SHARED = frozenset({"co", "com", "net", "org", "gov", "ac", "edu"})

FEATURES = (
    "log bytes down a second", "log bytes up a second", "share of bytes up",
    "mean size down", "mean size up", "deviation of sizes down", "deviation of sizes up",
    "share of small packets down", "share of full packets down", "share of UDP packets",
    "log packets an active second", "share of active seconds", "log median gap",
    "variation of gaps", "large transfers a minute", "log mean transfer", "variation of transfers",
    "log mean pause between transfers", "variation of pauses", "large transfers up a minute",
    "log bytes of requests",
)  # fmt: skip


@dataclass(frozen=True)
class Application:
    """One use of an application.

    Attributes:
        name: The domain that serves it; its address if no name was seen.
        named: Whether a name was seen.
        start_s: When the use begins.
        active_s: Seconds in which it exchanges packets.
        span_s: Seconds from its first packet to its last.
        features: Values of ``FEATURES``.
    """

    name: str
    named: bool
    start_s: float
    active_s: float
    span_s: float
    features: Array


def applications(flows: Sequence[Flow]) -> list[Application]:
    """Group flows by who serves them, and describe each use.

    Args:
        flows: The flows of a window.
    """
    groups: dict[tuple[str, bool], list[Flow]] = defaultdict(list)
    for flow in flows:
        if flow.port not in _INFRASTRUCTURE_PORTS:
            groups[_server(flow)].append(flow)
    found: list[Application] = []
    for (name, named), members in groups.items():
        times = np.concatenate([np.frombuffer(flow.times, np.float64) for flow in members])
        sizes = np.concatenate([np.frombuffer(flow.sizes, np.int64) for flow in members])
        udp = np.concatenate([np.full(len(flow.times), flow.protocol == UDP) for flow in members])
        order = np.argsort(times, kind="stable")
        times, sizes, udp = times[order], sizes[order], udp[order]
        cuts = np.flatnonzero(np.diff(times) > _SILENCE_S) + 1
        for at, size, over in zip(
            np.split(times, cuts), np.split(sizes, cuts), np.split(udp, cuts), strict=True
        ):
            if len(at) >= _MIN_PACKETS and at[-1] - at[0] >= _MIN_SECONDS:
                found.append(_described(name, named, at, size, over))
    return sorted(found, key=lambda one: one.start_s)


def _server(flow: Flow) -> tuple[str, bool]:
    if not flow.name:
        return str(ipaddress.ip_address(flow.server)), False
    labels = flow.name.split(".")
    keep = 3 if len(labels) > 2 and labels[-2] in _SHARED else 2
    return ".".join(labels[-keep:]), True


def _described(
    name: str, named: bool, times: Array, sizes: NDArray[np.int64], udp: NDArray[np.bool_]
) -> Application:
    span = float(times[-1] - times[0])
    active = len(np.unique(times.astype(np.int64)))
    return Application(
        name=name,
        named=named,
        start_s=float(times[0]),
        active_s=float(active),
        span_s=span,
        features=_features(times, sizes.astype(np.float64), udp, span, active),
    )


def _features(
    times: Array, sizes: Array, udp: NDArray[np.bool_], span: float, active: int
) -> Array:
    down, up = -sizes[sizes < 0], sizes[sizes > 0]
    bytes_down, bytes_up = float(down.sum()), float(up.sum())
    gaps = np.diff(times)
    long_gaps = gaps[gaps > 0.01] if np.any(gaps > 0.01) else np.array([0.01])
    transfers, pauses = _transfers(times[sizes < 0], down)
    sent, _ = _transfers(times[sizes > 0], up)
    large = transfers[transfers > _LARGE_BYTES]
    requests = up[up > 150]
    return np.array([
        np.log10(1 + bytes_down / span), np.log10(1 + bytes_up / span),
        bytes_up / (bytes_up + bytes_down), _mean(down), _mean(up), _deviation(down),
        _deviation(up), _share(down < 250), _share(down > 1150), float(udp.mean()),
        np.log10(len(sizes) / active), active / (span + 1),
        np.log10(float(np.median(long_gaps))), _variation(long_gaps),
        60 * len(large) / span, np.log10(1 + _mean(large)), _variation(large),
        np.log10(0.1 + _mean(pauses)), _variation(pauses),
        60 * float(np.sum(sent > _LARGE_BYTES)) / span, np.log10(1 + _mean(requests)),
    ])  # fmt: skip


def _transfers(times: Array, sizes: Array) -> tuple[Array, Array]:
    """Return the bytes of each transfer, and the seconds between their beginnings."""
    if not len(times):
        return np.zeros(0), np.zeros(0)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(times) > _PAUSE_S) + 1))
    totals: Array = np.add.reduceat(sizes, starts)
    large = totals > _LARGE_BYTES
    return totals, np.diff(times[starts][large])


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _deviation(values: Array) -> float:
    return float(values.std()) if len(values) else 0.0


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _variation(values: Array) -> float:
    return float(values.std() / values.mean()) if len(values) > 1 and values.mean() > 0 else 0.0
