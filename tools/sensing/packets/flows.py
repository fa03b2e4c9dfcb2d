"""Flows: the packets between two ends, as times and sizes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edgewright.tools.sensing.packets.capture import Packet
from edgewright.tools.sensing.packets.headers import TCP, Header, is_private, parse

#: Maximum number of flows of a window, and of addresses whose names are remembered.
_MAX_FLOWS = 50_000


@dataclass
class Flow:
    """A flow between a client and a server.

    Attributes:
        server: Address of the server, as bytes.
        port: Port of the server.
        protocol: 6 for TCP, 17 for UDP.
        name: Name of the server, from TLS or DNS; empty if it was not seen.
        times: When each packet was seen, in seconds since the first packet of the window.
        sizes: Bytes of each packet; negative from the server to the client.
    """

    server: bytes
    port: int
    protocol: int
    name: str = ""
    times: array[float] = field(default_factory=lambda: array("d"))
    sizes: array[int] = field(default_factory=lambda: array("q"))

    @property
    def bytes_up(self) -> int:
        """Bytes from the client to the server."""
        return sum(size for size in self.sizes if size > 0)

    @property
    def bytes_down(self) -> int:
        """Bytes from the server to the client."""
        return -sum(size for size in self.sizes if size < 0)

    def as_json(self) -> dict[str, Any]:
        """Return its sums as JSON values; the server by its name, or the kind of its address."""
        return {
            "name": self.name or "(unknown)",
            "port": self.port,
            "protocol": "tcp" if self.protocol == TCP else "udp",
            "packets": len(self.sizes),
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "start_s": round(self.times[0], 3),
            "seconds": round(self.times[-1] - self.times[0], 3),
        }


class FlowTable:
    """Collects packets into flows; nothing else of a packet is kept."""

    def __init__(self) -> None:
        self.packets = 0
        self.seconds = 0.0
        self._start_s: float | None = None
        self._flows: dict[tuple[object, ...], Flow] = {}
        self._names: dict[bytes, str] = {}

    def add(self, packet: Packet) -> float:
        """Add a packet; return the seconds since the first one."""
        self.packets += 1
        if self._start_s is None:
            self._start_s = packet.time_s
        # Clocks that are set back must not make a window negative.
        now = max(0.0, packet.time_s - self._start_s)
        self.seconds = max(self.seconds, now)
        if header := parse(packet.link, packet.data, packet.length):
            self._add(header, now)
        return now

    def flows(self) -> tuple[Flow, ...]:
        """Return the flows, in the order of their first packets."""
        return tuple(self._flows.values())

    def _add(self, header: Header, now: float) -> None:
        if header.answers and len(self._names) < _MAX_FLOWS:
            self._names.update(header.answers)
        up, down = _key(header), _key(header, reverse=True)
        flow = self._flows.get(up)
        sign = 1
        if flow is None:
            flow, sign = self._flows.get(down), -1
        if flow is None:
            if len(self._flows) >= _MAX_FLOWS:
                return
            sign = 1 if _from_client(header) else -1
            flow = self._flows[up if sign == 1 else down] = self._opened(header, sign)
        if header.server_name:
            flow.name = header.server_name
        flow.times.append(now)
        flow.sizes.append(sign * header.size)

    def _opened(self, header: Header, sign: int) -> Flow:
        server, port = (
            (header.target, header.target_port)
            if sign == 1
            else (header.source, header.source_port)
        )
        return Flow(server, port, header.protocol, self._names.get(server, ""))


def flow_table(packets: Iterable[Packet], seconds: float) -> FlowTable:
    """Collect the packets of a window into flows.

    Args:
        packets: The packets, in the order of time.
        seconds: Length of the window.
    """
    table = FlowTable()
    for packet in packets:
        if table.add(packet) > seconds:
            break
    return table


def _key(header: Header, *, reverse: bool = False) -> tuple[object, ...]:
    here, there = (header.source, header.source_port), (header.target, header.target_port)
    return (header.protocol, there, here) if reverse else (header.protocol, here, there)


def _from_client(header: Header) -> bool:
    """Return whether a flow's first packet comes from the client."""
    if header.opens:
        return True
    inside, outside = is_private(header.source), is_private(header.target)
    if inside != outside:
        return inside
    return header.source_port >= header.target_port
