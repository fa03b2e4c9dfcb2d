"""The frame: what crosses the wire between a head and its tail, checked before it is decoded.

Layout, little-endian, 48 bytes before the payload::

    magic 4s | version u8 | flags u8 | point u16 | codec fingerprint 8s | dimensions u8 | padding 3
    | shape 4 x u32, unused ones 0 | payload length u32 | checksum 8s

The checksum is BLAKE2b over everything else, so a damaged frame is refused as a whole. It guards
against faults, not against forgery: who may send frames is decided by the node's API keys.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from edgewright.tools.errors import FrameError
from edgewright.tools.split.codec import FeatureCodec

MAGIC = b"EWFR"
VERSION = 1
#: Largest frame that is looked at unless a caller sets another limit.
MAX_FRAME_BYTES = 4_000_000
MAX_DIMENSIONS = 4
#: Most values that a shape may name; more is refused before anything is allocated.
MAX_VALUES = 4_000_000

_FIELDS = struct.Struct("<4sBBH8sB3x4II")
_CHECKSUM_BYTES = 8
HEADER_BYTES = _FIELDS.size + _CHECKSUM_BYTES


@dataclass(frozen=True, kw_only=True)
class FrameHeader:
    """What a frame says of itself, after its checksum was verified.

    Attributes:
        fingerprint: Fingerprint of the codec that made the payload.
        point: Partition point.
        shape: Shape of the features without the batch dimension.
        payload_bytes: Length of the payload.
    """

    fingerprint: bytes
    point: int
    shape: tuple[int, ...]
    payload_bytes: int


def pack(payload: bytes, codec: FeatureCodec) -> bytes:
    """Put a payload into its envelope.

    Args:
        payload: What ``codec.encode`` returned.
        codec: The codec that made it.
    """
    shape = (*codec.shape, *(0,) * (MAX_DIMENSIONS - len(codec.shape)))
    fields = _FIELDS.pack(
        MAGIC, VERSION, 0, codec.point, codec.fingerprint, len(codec.shape), *shape, len(payload)
    )
    return fields + _checksum(fields, payload) + payload


def read_header(frame: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> FrameHeader:
    """Verify a frame without decoding it.

    Args:
        frame: The bytes as received.
        max_bytes: Longest frame accepted.

    Raises:
        FrameError: With code ``frame_length``, ``frame_magic``, ``frame_version``,
            ``frame_shape`` or ``frame_checksum``.
    """
    if len(frame) > max_bytes:
        raise FrameError(
            f"the frame has {len(frame)} bytes and at most {max_bytes} are accepted; "
            "cut the model where its features are smaller",
            code="frame_length",
        )
    if frame[:4] != MAGIC[: len(frame)]:
        raise FrameError("these bytes are not an Edgewright frame", code="frame_magic")
    if len(frame) < HEADER_BYTES:
        raise FrameError(
            f"the frame ends after {len(frame)} bytes, inside its header; send it again",
            code="frame_length",
        )
    _, version, flags, point, fingerprint, dimensions, *sizes = _FIELDS.unpack_from(frame)
    if (version, flags) != (VERSION, 0):
        raise FrameError(
            f"the frame has version {version}, flags {flags}, and this node reads version "
            f"{VERSION} without flags; run the same release of Edgewright on both nodes",
            code="frame_version",
        )
    *padded_shape, payload_bytes = sizes
    shape = _checked_shape(dimensions, padded_shape)
    if len(frame) != HEADER_BYTES + payload_bytes:
        raise FrameError(
            f"the frame announces a payload of {payload_bytes} bytes and carries "
            f"{len(frame) - HEADER_BYTES}; send it again",
            code="frame_length",
        )
    fields, checksum = frame[: _FIELDS.size], frame[_FIELDS.size : HEADER_BYTES]
    if _checksum(fields, frame[HEADER_BYTES:]) != checksum:
        raise FrameError(
            "the frame was damaged on its way (checksum); send it again", code="frame_checksum"
        )
    return FrameHeader(
        fingerprint=fingerprint, point=point, shape=shape, payload_bytes=payload_bytes
    )


def unpack(frame: bytes, codec: FeatureCodec, *, max_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Return the payload of a frame that ``codec`` may decode.

    Args:
        frame: The bytes as received.
        codec: The codec for the partition point that the frame's header names.
        max_bytes: Longest frame accepted.

    Raises:
        FrameError: As ``read_header``; also with code ``frame_fingerprint`` when another codec or
            other weights made the frame, and ``frame_shape`` when it is for another point or shape.
    """
    header = read_header(frame, max_bytes=max_bytes)
    if header.fingerprint != codec.fingerprint:
        raise FrameError(
            "the frame was made with another codec or other weights than this node's; "
            "install the same release and model revision on both nodes",
            code="frame_fingerprint",
        )
    if (header.point, header.shape) != (codec.point, tuple(codec.shape)):
        raise FrameError(
            f"the frame holds features of shape {header.shape} at point {header.point}, expected "
            f"were {tuple(codec.shape)} at point {codec.point}",
            code="frame_shape",
        )
    return frame[HEADER_BYTES:]


def _checked_shape(dimensions: int, padded_shape: list[int]) -> tuple[int, ...]:
    shape, unused = tuple(padded_shape[:dimensions]), padded_shape[dimensions:]
    values = 1
    for size in shape:
        values *= size
    if not 1 <= dimensions <= MAX_DIMENSIONS or any(unused) or not 1 <= values <= MAX_VALUES:
        raise FrameError(
            f"the frame names the shape {shape}, which no partition point has", code="frame_shape"
        )
    return shape


def _checksum(fields: bytes, payload: bytes) -> bytes:
    digest = hashlib.blake2b(fields, digest_size=_CHECKSUM_BYTES)
    digest.update(payload)
    return digest.digest()
