"""Mutated captures and recordings."""

from __future__ import annotations

import json
import random
import struct

import numpy as np
from mutation import mutated
from target import Run, refused

from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.wav import read_wav, write_wav
from edgewright.tools.simulation.packets import (
    RESOLVER,
    TCP,
    UDP,
    Wire,
    client_hello,
    dns_answer,
    write_capture,
)


def open_captures() -> Run:
    """Mutated capture files through the reader, the headers, the names and the flows."""
    server = bytes((93, 10, 20, 30))
    answer = dns_answer("chat.kestrel.example", server)
    hello = client_hello("video.heron.example")
    packets = [
        Wire(0.0, RESOLVER, 53, 40_000, UDP, False, 28 + len(answer), answer),
        Wire(0.1, server, 443, 40_001, TCP, True, 60, opens=True),
        Wire(0.2, server, 443, 40_001, TCP, True, 40 + len(hello), hello),
        *(Wire(0.3 + n, server, 443, 40_001, TCP, n % 2 == 0, 900, bytes(40)) for n in range(20)),
    ]
    classic = write_capture(packets)
    blocks = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]
    blocks.append(struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20))
    for packet in read_packets(classic):
        data = bytes(packet.data) + bytes(-len(packet.data) % 4)
        head = struct.pack("<IIIII", 0, 0, int(packet.time_s), len(packet.data), packet.length)
        size = struct.pack("<I", 32 + len(data))
        blocks.append(struct.pack("<I", 6) + size + head + data + size)
    corpus = [classic, b"".join(blocks)]

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, [b"\xc0\x0c", b"\xff" * 4, b"\x86\xdd\x60", b"\x81\x00"])
        tables = []
        if refused(lambda: tables.append(flow_table(read_packets(data), 60.0))):
            return False
        assert json.dumps([flow.as_json() for flow in tables[0].flows()])
        return True

    return run


def open_sounds() -> Run:
    """Mutated WAV files through the reader."""
    tone = (9_000 * np.sin(np.arange(600) / 5)).astype(np.int16)
    small = write_wav(tone, 48_000)
    floats = bytearray(small)
    floats[20:22], floats[34:36] = b"\x03\0", b"\x20\0"
    corpus = [small, bytes(floats), small[:36] + b"LIST\x04\0\0\0abcd" + small[36:]]

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, [b"data", b"fmt ", b"\xfe\xff", b"\xff" * 4, b"\0" * 4])
        found = []
        if refused(lambda: found.append(read_wav(data))):
            return False
        samples, rate = found[0]
        assert samples.dtype == np.int16
        assert samples.size
        assert rate > 0
        return True

    return run
