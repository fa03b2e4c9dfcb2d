"""Capture files: what is read of them, and what never is."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.sensing.network import Network
from edgewright.tools.sensing.packets import names
from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.simulation.packets import (
    RESOLVER,
    TCP,
    UDP,
    Wire,
    client_hello,
    dns_answer,
    write_capture,
)

SERVER, OTHER = bytes((93, 10, 20, 30)), bytes((94, 1, 2, 3))
SECRET = b"what was said in confidence"


def _capture() -> bytes:
    answer = dns_answer("chat.kestrel.example", OTHER)
    hello = client_hello("video.heron.example")
    return write_capture(
        [
            Wire(0.0, RESOLVER, 53, 40_000, UDP, False, 28 + len(answer), answer),
            Wire(0.1, SERVER, 443, 40_001, TCP, True, 60, opens=True),
            Wire(0.2, SERVER, 443, 40_001, TCP, True, 40 + len(hello), hello),
            Wire(0.3, SERVER, 443, 40_001, TCP, False, 1500, SECRET),
            Wire(0.4, OTHER, 443, 40_002, UDP, True, 200, SECRET),
            Wire(1.5, OTHER, 443, 40_002, UDP, False, 300, SECRET),
        ]
    )


def test_flows_have_names_sizes_and_directions():
    table = flow_table(read_packets(_capture()), 60)
    assert table.packets == 6
    assert table.seconds == pytest.approx(1.5)
    dns, tls, udp = table.flows()
    assert (tls.name, tls.port, tls.protocol) == ("video.heron.example", 443, TCP)
    assert tls.bytes_down == 1500
    assert (udp.name, udp.bytes_up, udp.bytes_down) == ("chat.kestrel.example", 200, 300)
    assert list(udp.times) == pytest.approx([0.4, 1.5])
    assert dns.port == 53


def test_a_window_ends_when_its_time_is_over():
    assert flow_table(read_packets(_capture()), 1.0).packets == 6  # the first late one ends it
    early = flow_table(read_packets(_capture()), 0.15)
    assert early.packets == 3


def test_no_payload_is_kept(tmp_path):
    file = tmp_path / "traffic.pcap"
    file.write_bytes(_capture())
    window = Network(str(file)).read(60)
    assert SECRET.decode() not in str(window.as_json())
    assert SECRET not in str(window).encode()
    assert window.values.size_bytes < 1000


def _pcapng(packets: list[tuple[float, bytes]], order: str = "<") -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    interface = struct.pack(order + "HHI", 1, 0, 0)
    nanoseconds = interface + struct.pack(order + "HHBxxxHH", 9, 1, 9, 0, 0)
    parts = [block(0x0A0D0D0A, section), block(1, nanoseconds)]
    for time_s, data in packets:
        ticks = round(time_s * 1e9)
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), 1500)
        parts.append(block(6, head + data))
    return b"".join(parts)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_is_read_like_pcap(order):
    packets = [(p.time_s - 1_700_000_000, bytes(p.data)) for p in read_packets(_capture())]
    found = list(read_packets(_pcapng(packets, order)))
    assert [bytes(each.data) for each in found] == [data for _, data in packets]
    assert [each.time_s for each in found] == pytest.approx([time for time, _ in packets], abs=1e-6)
    assert {each.length for each in found} == {1500}


def test_a_capture_that_was_cut_off_ends_at_its_last_whole_packet():
    assert len(list(read_packets(_capture()[:-10]))) == 5


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + bytes(40), bytes(24)])
def test_other_files_are_refused(data):
    with pytest.raises(InputError, match="pcap"):
        list(read_packets(data))


def test_a_pointer_loop_in_dns_ends():
    looping = struct.pack(">HHHHHH", 1, 0x8180, 1, 1, 0, 0) + b"\xc0\x0c" * 20
    assert names.dns_answers(memoryview(looping)) == ()


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    names.dns_answers(memoryview(data))
    names.tls_server_name(memoryview(b"\x16\x03\x01\x02\x00\x01" + data))
    for head in (_capture()[:24], _pcapng([])[:60]):
        try:
            flow_table(read_packets(head + data), 60)
        except EdgewrightError as error:
            assert error.info().status == 422
