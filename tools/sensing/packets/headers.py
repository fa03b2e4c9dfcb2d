"""Packet headers, from the link to the transport, and the names that are visible in them."""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from edgewright.tools.sensing.packets import names

_ETHERNET, _NULL, _RAW, _RAW_BSD, _COOKED, _COOKED_2 = 1, 0, 101, 12, 113, 276
_IPV4, _IPV6, _VLAN, _QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8
TCP, UDP = 6, 17
#: IPv6 headers that may stand before the transport's.
_EXTENSIONS = frozenset({0, 43, 44, 60})
_DNS_PORTS = frozenset({53, 5353})


class Header(NamedTuple):
    """What is kept of a packet.

    Attributes:
        source: Address of the sender, as bytes.
        target: Address of the receiver.
        source_port: Port of the sender.
        target_port: Port of the receiver.
        protocol: 6 for TCP, 17 for UDP.
        opens: Whether it opens a TCP connection.
        size: Bytes of the network packet.
        server_name: The name that a TLS client asks for; empty if it shows none.
        answers: Addresses that a DNS answer gives for a name.
    """

    source: bytes
    target: bytes
    source_port: int
    target_port: int
    protocol: int
    opens: bool
    size: int
    server_name: str
    answers: tuple[tuple[bytes, str], ...]


def parse(link: int, data: memoryview, length: int) -> Header | None:
    """Read a packet's headers.

    Args:
        link: Number of the link type.
        data: The beginning of the packet.
        length: Its length on the network.

    Returns:
        The headers; None if it is neither TCP nor UDP over IP, or cut off within its headers.
    """
    try:
        kind, place = _network(link, data)
        if kind == _IPV4:
            return _ipv4(data[place:], length - place)
        if kind == _IPV6:
            return _ipv6(data[place:], length - place)
    except (struct.error, IndexError):
        pass
    return None


def is_private(address: bytes) -> bool:
    """Return whether an address belongs to the own network."""
    return ipaddress.ip_address(address).is_private


def _network(link: int, data: memoryview) -> tuple[int, int]:
    """Return the network protocol and where its header begins."""
    if link == _ETHERNET:
        place = 12
        kind = struct.unpack_from(">H", data, place)[0]
        while kind in (_VLAN, _QINQ):
            place += 4
            kind = struct.unpack_from(">H", data, place)[0]
        return kind, place + 2
    if link == _COOKED:
        return struct.unpack_from(">H", data, 14)[0], 16
    if link == _COOKED_2:
        return struct.unpack_from(">H", data, 0)[0], 20
    if link in (_RAW, _RAW_BSD, _NULL):
        place = 4 if link == _NULL else 0
        return {4: _IPV4, 6: _IPV6}.get(data[place] >> 4, 0), place
    return 0, 0


def _ipv4(data: memoryview, length: int) -> Header | None:
    header = (data[0] & 15) * 4
    total, fragment = struct.unpack_from(">H", data, 2)[0], struct.unpack_from(">H", data, 6)[0]
    if header < 20 or fragment & 0x1FFF:
        return None
    # Cards that join packets leave a total of 0.
    size = max(0, min(total or length, length))
    return _transport(data[9], data[header:], bytes(data[12:16]), bytes(data[16:20]), size)


def _ipv6(data: memoryview, length: int) -> Header | None:
    protocol, place = data[6], 40
    for _ in range(8):
        if protocol not in _EXTENSIONS:
            break
        following = data[place]
        place += 8 if protocol == 44 else (data[place + 1] + 1) * 8
        protocol = following
    return _transport(protocol, data[place:], bytes(data[8:24]), bytes(data[24:40]), max(0, length))


def _transport(
    protocol: int, data: memoryview, source: bytes, target: bytes, size: int
) -> Header | None:
    if protocol not in (TCP, UDP):
        return None
    source_port, target_port = struct.unpack_from(">HH", data)
    opens, server_name = False, ""
    answers: tuple[tuple[bytes, str], ...] = ()
    if protocol == TCP:
        opens = (data[13] & 0x12) == 0x02
        payload = data[(data[12] >> 4) * 4 :]
        # A ClientHello begins a TLS record of the type 22; nothing else is looked at.
        if len(payload) > 5 and payload[0] == 22:
            server_name = names.tls_server_name(payload)
    elif source_port in _DNS_PORTS:
        answers = names.dns_answers(data[8:])
    return Header(
        source, target, source_port, target_port, protocol, opens, size, server_name, answers
    )
