"""Frames survive a round trip, and damaged or foreign frames are rejected."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.codecs.frame import (
    HEADER_BYTES,
    MAX_FRAME_BYTES,
    Frame,
    pack,
    read_frame,
    unpack,
)
from edgewright.tools.errors import FrameError
from edgewright.tools.models.adapter import Features


class PlainCodec:
    name = "plain"
    model = "m"

    def __init__(
        self, fingerprint: bytes = b"abcdefgh", point: int = 3, shape: tuple[int, ...] = (2, 5)
    ) -> None:
        self.fingerprint = fingerprint
        self.point = point
        self.shape = shape

    def encode(self, features: Features) -> bytes:
        return features.tobytes()

    def decode(self, payload: bytes) -> Features:
        return np.frombuffer(payload, dtype=np.float32).reshape(self.shape)


CODEC = PlainCodec()
FRAME = pack(bytes(range(40)), CODEC)


def code_of(frame: bytes, codec: PlainCodec = CODEC, **limits: int) -> str:
    with pytest.raises(FrameError) as caught:
        unpack(frame, codec, **limits)
    return caught.value.info().code


def with_header_bytes(offset: int, data: bytes) -> bytes:
    """Return the frame with changed bytes in its header and a matching checksum."""
    fields = bytearray(FRAME[: HEADER_BYTES - 8])
    fields[offset : offset + len(data)] = data
    payload = FRAME[HEADER_BYTES:]
    return bytes(fields) + hashlib.blake2b(fields + payload, digest_size=8).digest() + payload


@given(payload=st.binary(max_size=300), point=st.integers(0, 2**16 - 1))
def test_round_trip(payload: bytes, point: int) -> None:
    codec = PlainCodec(point=point)
    frame = pack(payload, codec)
    assert unpack(frame, codec) == payload
    expected = Frame(point=point, fingerprint=codec.fingerprint, payload=payload)
    assert read_frame(frame) == expected


def test_the_envelope_is_small() -> None:
    assert HEADER_BYTES <= 24
    assert len(FRAME) == HEADER_BYTES + 40


@pytest.mark.parametrize("position", range(len(FRAME)))
def test_every_changed_byte_is_refused(position: int) -> None:
    for change in (0x01, 0x80, 0xFF):
        damaged = bytearray(FRAME)
        damaged[position] ^= change
        assert code_of(bytes(damaged)).startswith("frame_")


@given(length=st.integers(0, len(FRAME) - 1))
def test_truncated_frames_are_refused(length: int) -> None:
    expected = "frame_length" if length < HEADER_BYTES else "frame_checksum"
    assert code_of(FRAME[:length]) == expected


@given(extra=st.binary(min_size=1, max_size=100))
def test_extended_frames_are_refused(extra: bytes) -> None:
    assert code_of(FRAME + extra) == "frame_checksum"


@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert code_of(data) in {"frame_length", "frame_magic"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"PNG" + FRAME[3:], "frame_magic"),
        (with_header_bytes(3, b"\x01"), "frame_version"),
        (with_header_bytes(4, b"\x04\x00"), "frame_fingerprint"),
        (with_header_bytes(6, b"another!"), "frame_fingerprint"),
        (FRAME[:-1] + b"\x00", "frame_checksum"),
    ],
)
def test_each_fault_has_its_code(frame: bytes, code: str) -> None:
    assert code_of(frame) == code


def test_long_frames_are_refused_unread() -> None:
    assert code_of(FRAME, max_bytes=len(FRAME) - 1) == "frame_length"
    assert code_of(bytes(MAX_FRAME_BYTES + 1)) == "frame_length"
