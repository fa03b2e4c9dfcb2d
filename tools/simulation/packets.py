"""Writing capture files: packets as a network shows them, with random bytes for what is encrypted.

Only headers and names carry meaning, so long packets are cut off after their beginning, as capture
programs do on request.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

#: Bytes of a packet that a capture keeps, and the client of all simulated traffic.
SNAP_BYTES = 256
CLIENT = bytes((192, 168, 1, 23))
RESOLVER = bytes((192, 168, 1, 1))
TCP, UDP = 6, 17
_START_S = 1_700_000_000
_MAGIC, _ETHERNET = 0xA1B2C3D4, 1
_MACS = bytes((2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2))
_ADDRESS_RECORD = 1


@dataclass(frozen=True)
class Wire:
    """One packet.

    Attributes:
        time_s: When it is seen.
        server: Address of the server.
        server_port: Its port.
        client_port: The client's port.
        protocol: ``TCP`` or ``UDP``.
        up: Whether the client sends it.
        size: Bytes of the network packet, headers included.
        payload: The beginning of what it carries.
        opens: Whether it opens a TCP connection.
    """

    time_s: float
    server: bytes
    server_port: int
    client_port: int
    protocol: int
    up: bool
    size: int
    payload: bytes = b""
    opens: bool = False


def write_capture(packets: Iterable[Wire]) -> bytes:
    """Return a capture file (pcap).

    Args:
        packets: The packets, in the order of time.
    """
    parts = [struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, SNAP_BYTES, _ETHERNET)]
    for packet in packets:
        whole = _frame(packet)
        kept = whole[: max(SNAP_BYTES, 58 + len(packet.payload))]
        seconds = int(packet.time_s)
        micros = int((packet.time_s - seconds) * 1e6)
        length = max(packet.size + 14, len(kept))
        parts.append(struct.pack("<IIII", _START_S + seconds, micros, len(kept), length))
        parts.append(kept)
    return b"".join(parts)


def dns_answer(name: str, address: bytes) -> bytes:
    """Return the answer to a question for a name's address (RFC 1035)."""
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    question = labels + b"\0" + struct.pack(">HH", _ADDRESS_RECORD, 1)
    record = struct.pack(">HHHIH", 0xC00C, _ADDRESS_RECORD, 1, 300, len(address)) + address
    return struct.pack(">HHHHHH", 77, 0x8180, 1, 1, 0, 0) + question + record


def client_hello(name: str) -> bytes:
    """Return the beginning of a TLS connection that names its server (RFC 8446, RFC 6066)."""
    host = name.encode()
    entry = struct.pack(">BH", 0, len(host)) + host
    server_name = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    versions = struct.pack(">HHBH", 43, 3, 2, 0x0304)
    extensions = versions + server_name
    body = b"".join(
        (b"\x03\x03", bytes(range(32)), b"\0", struct.pack(">HH", 2, 0x1301), b"\x01\0",
         struct.pack(">H", len(extensions)), extensions)
    )  # fmt: skip
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake


def _frame(packet: Wire) -> bytes:
    ends = (CLIENT, packet.server) if packet.up else (packet.server, CLIENT)
    ports = (packet.client_port, packet.server_port)
    ports = ports if packet.up else ports[::-1]
    total = min(max(packet.size, 28), 65_535)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, packet.protocol, 0, *ends)
    if packet.protocol == UDP:
        transport = struct.pack(">HHHH", *ports, max(8, min(total - 20, 65_535)), 0)
    else:
        flags = 0x02 if packet.opens else 0x10
        transport = struct.pack(">HHIIBBHHH", *ports, 0, 0, 0x50, flags, 64_240, 0, 0)
    return _MACS + b"\x08\0" + ip + transport + packet.payload
