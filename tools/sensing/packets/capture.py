"""Reading capture files (pcap and pcapng) that others wrote: bounded, one packet at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from edgewright.tools.errors import InputError

#: Maximum number of packets that are read from one file.
MAX_PACKETS = 2_000_000
#: Maximum length of a captured packet, as in tcpdump.
_MAX_PACKET_BYTES = 262_144
_MICRO, _NANO = 0xA1B2C3D4, 0xA1B23C4D
_SECTION, _INTERFACE, _ENHANCED, _SIMPLE = 0x0A0D0D0A, 1, 6, 3
_BYTE_ORDER = 0x1A2B3C4D


class Packet(NamedTuple):
    """A captured packet.

    Attributes:
        time_s: When it was captured, in seconds since 1970.
        link: Number of the link type, as in the file.
        data: Its beginning.
        length: Its length on the network, in bytes.
    """

    time_s: float
    link: int
    data: memoryview
    length: int


def read_packets(data: bytes) -> Iterator[Packet]:
    """Yield the packets of a capture file; one that was cut off ends at its last whole packet.

    Args:
        data: The file.

    Raises:
        InputError: It is no capture file (``capture_invalid``).
    """
    if len(data) < 24:
        raise _invalid("it is too short")
    for order in ("<", ">"):
        magic = struct.unpack_from(order + "I", data)[0]
        if magic in (_MICRO, _NANO):
            return _classic(memoryview(data), order, 1e-6 if magic == _MICRO else 1e-9)
    if struct.unpack_from("<I", data)[0] == _SECTION:
        return _blocks(memoryview(data))
    raise _invalid("it does not begin as one")


def _classic(data: memoryview, order: str, tick_s: float) -> Iterator[Packet]:
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    head = struct.Struct(order + "IIII")
    place = 24
    for _ in range(MAX_PACKETS):
        if place + 16 > len(data):
            return
        seconds, ticks, kept, length = head.unpack_from(data, place)
        if kept > _MAX_PACKET_BYTES:
            raise _invalid(f"a packet claims {kept} bytes")
        end = place + 16 + kept
        if end > len(data):
            return
        yield Packet(seconds + ticks * tick_s, link, data[place + 16 : end], length)
        place = end


def _blocks(data: memoryview) -> Iterator[Packet]:
    """Yield the packets of a pcapng file."""
    order, interfaces = "<", list[tuple[int, float]]()
    place, packets = 0, 0
    while place + 12 <= len(data) and packets < MAX_PACKETS:
        kind = struct.unpack_from(order + "I", data, place)[0]
        if kind == _SECTION:
            order = _order(data, place)
            interfaces = []
        size = struct.unpack_from(order + "I", data, place + 4)[0]
        if size < 12 or size % 4:
            raise _invalid(f"a block claims {size} bytes")
        if place + size > len(data):
            return
        body = data[place + 8 : place + size - 4]
        if kind == _INTERFACE and len(body) >= 8 and len(interfaces) < 1_000:
            interfaces.append((struct.unpack_from(order + "H", body)[0], _tick(body, order)))
        elif kind == _ENHANCED and (packet := _enhanced(body, order, interfaces)):
            packets += 1
            yield packet
        place += size


def _order(data: memoryview, place: int) -> str:
    for order in ("<", ">"):
        if struct.unpack_from(order + "I", data, place + 8)[0] == _BYTE_ORDER:
            return order
    raise _invalid("its byte order is unknown")


def _tick(body: memoryview, order: str) -> float:
    """Return the unit of an interface's times in seconds, a microsecond unless it says so."""
    place = 8
    while place + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, place)
        if code == 9 and size == 1 and place + 5 <= len(body):
            value = body[place + 4]
            return float(2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value)
        if code == 0:
            break
        place += 4 + size + -size % 4
    return 1e-6


def _enhanced(body: memoryview, order: str, interfaces: list[tuple[int, float]]) -> Packet | None:
    if len(body) < 20:
        return None
    number, high, low, kept, length = struct.unpack_from(order + "IIIII", body)
    if number >= len(interfaces) or kept > min(len(body) - 20, _MAX_PACKET_BYTES):
        return None
    link, tick_s = interfaces[number]
    return Packet(((high << 32) | low) * tick_s, link, body[20 : 20 + kept], length)


def _invalid(reason: str) -> InputError:
    return InputError(
        f"this is no capture file (pcap or pcapng) that can be read: {reason}",
        code="capture_invalid",
    )
