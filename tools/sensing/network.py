"""Network traffic: a capture file, or an interface where this process may capture."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import NotFoundError, TooLargeError, UnavailableError
from edgewright.tools.sensing.packets.capture import Packet, read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.protocol import MAX_WINDOW_BYTES, Privacy, Traffic, Window
from edgewright.tools.storage.reading import read_file

#: A source ``live:wlan0`` captures on an interface, ``live`` on all of them.
LIVE = "live"
#: A capture may hold payload, which is not kept, so it is larger than the window.
_MAX_CAPTURE_BYTES = 256_000_000
_EVERY_PROTOCOL = 3
_ETHERNET = 1
#: As much of a packet as the names before encryption need.
_SNAP_BYTES = 2_048


class Network:
    """The traffic of a network; implements ``Sensor``.

    Args:
        source: Path of a capture file (pcap, pcapng), ``live``, or ``live:INTERFACE``.
        name: Name of the sensor.
    """

    kind = "wifi"
    privacy: Privacy = "metadata"

    def __init__(self, source: str, name: str = "wifi") -> None:
        self.name = name
        self._source = source

    def view(self) -> SensorView:
        """Return what it is."""
        live = self._source.split(":")[0] == LIVE
        return SensorView(
            kind=self.kind,
            name=self.name,
            unit="packet header",
            privacy=self.privacy,
            source="live" if live else "file",
        )

    def read(
        self, seconds: float, *, max_bytes: int = MAX_WINDOW_BYTES, item: str | None = None
    ) -> Window:
        """Capture, or read the beginning of the file; only times, sizes and names are kept."""
        if self._source.split(":")[0] == LIVE:
            packets = _captured(self._source.partition(":")[2], seconds)
        else:
            packets = read_packets(read_file(Path(self._source), _MAX_CAPTURE_BYTES))
        table = flow_table(packets, seconds)
        traffic = Traffic(table.flows(), table.packets, table.seconds)
        if traffic.size_bytes > max_bytes:
            raise TooLargeError(
                f"the window has more than {max_bytes} bytes; read fewer seconds",
                code="window_too_large",
            )
        return Window(sensor=self.name, kind=self.kind, seconds=table.seconds, values=traffic)


def _captured(interface: str, seconds: float) -> Iterator[Packet]:
    """Yield the packets that an interface sees for some time."""
    try:
        family = socket.AF_PACKET
        listening = socket.socket(family, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
    except AttributeError:
        raise UnavailableError(
            "packets can be captured on Linux only; name a capture file as the source",
            code="sensor_missing",
        ) from None
    except PermissionError:
        raise UnavailableError(
            "this process may not capture packets: give it CAP_NET_RAW, or name a capture file "
            "as the source",
            code="sensor_forbidden",
        ) from None
    with listening:
        if interface:
            _bind(listening, interface)
        end = time.monotonic() + seconds
        buffer = bytearray(_SNAP_BYTES)
        while (left := end - time.monotonic()) > 0:
            listening.settimeout(left)
            try:
                length = listening.recv_into(buffer, 0, socket.MSG_TRUNC)
            except TimeoutError:
                return
            kept = bytes(buffer[: min(length, _SNAP_BYTES)])
            yield Packet(time.time(), _ETHERNET, memoryview(kept), length)


def _bind(listening: socket.socket, interface: str) -> None:
    try:
        listening.bind((interface, 0))
    except OSError:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise NotFoundError(
            f"no network interface {interface[:50]!r}; there are {names}", code="unknown_interface"
        ) from None
