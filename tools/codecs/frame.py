"""The frame: what crosses the wire between a head and its tail, checked before it is decoded.

Layout, little-endian, 22 bytes before the payload::

    magic 3s | version u8 | point u16 | codec fingerprint 8s | checksum 8s

The fingerprint stands for model, weights, partition point, shape and tables: two nodes that hold
the same codec have agreed on all of these, so a frame says none of them again and there is no
session that a restart could lose. The checksum is BLAKE2b over everything else, so a damaged frame
is refused as a whole. It guards against faults, not against forgery: who may send frames is
decided by the node's API keys.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.errors import FrameError

MAGIC = b"EWF"
VERSION = 2
#: Largest frame that is looked at unless a caller sets another limit.
MAX_FRAME_BYTES = 4_000_000

_FIELDS = struct.Struct("<3sBH8s")
_CHECKSUM_BYTES = 8
HEADER_BYTES = _FIELDS.size + _CHECKSUM_BYTES


@dataclass(frozen=True, kw_only=True)
class FrameHeader:
    """What a frame says of itself, after its checksum was verified.

    Attributes:
        point: Partition point.
        fingerprint: Fingerprint of the codec that made the payload.
    """

    point: int
    fingerprint: bytes


def pack(payload: bytes, codec: FeatureCodec) -> bytes:
    """Put a payload into its envelope.

    Args:
        payload: What ``codec.encode`` returned.
        codec: The codec that made it.
    """
    fields = _FIELDS.pack(MAGIC, VERSION, codec.point, codec.fingerprint)
    return fields + _checksum(fields, payload) + payload


def read_header(frame: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> FrameHeader:
    """Verify a frame without decoding it.

    Args:
        frame: The bytes as received.
        max_bytes: Longest frame accepted.

    Raises:
        FrameError: With code ``frame_length``, ``frame_magic``, ``frame_version`` or
            ``frame_checksum``.
    """
    if len(frame) > max_bytes:
        raise FrameError(
            f"the frame has {len(frame)} bytes and at most {max_bytes} are accepted; "
            "cut the model where its features are smaller",
            code="frame_length",
        )
    if frame[: len(MAGIC)] != MAGIC[: len(frame)]:
        raise FrameError("these bytes are not an Edgewright frame", code="frame_magic")
    if len(frame) < HEADER_BYTES:
        raise FrameError(
            f"the frame ends after {len(frame)} bytes, inside its header; send it again",
            code="frame_length",
        )
    _, version, point, fingerprint = _FIELDS.unpack_from(frame)
    if version != VERSION:
        raise FrameError(
            f"the frame has version {version}, and this node reads version {VERSION}; run the "
            "same release of Edgewright on both nodes",
            code="frame_version",
        )
    fields, checksum = frame[: _FIELDS.size], frame[_FIELDS.size : HEADER_BYTES]
    if _checksum(fields, frame[HEADER_BYTES:]) != checksum:
        raise FrameError(
            "the frame was cut short or damaged on its way (checksum); send it again",
            code="frame_checksum",
        )
    return FrameHeader(point=point, fingerprint=fingerprint)


def unpack(frame: bytes, codec: FeatureCodec, *, max_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Return the payload of a frame that ``codec`` may decode.

    Args:
        frame: The bytes as received.
        codec: The codec for the partition point that the frame's header names.
        max_bytes: Longest frame accepted.

    Raises:
        FrameError: As ``read_header``; also with code ``frame_fingerprint`` when another codec or
            other weights made the frame.
    """
    header = read_header(frame, max_bytes=max_bytes)
    if (header.point, header.fingerprint) != (codec.point, codec.fingerprint):
        raise FrameError(
            "the frame was made with another codec or other weights than this node's; "
            "install the same release and model revision on both nodes",
            code="frame_fingerprint",
        )
    return frame[HEADER_BYTES:]


def _checksum(fields: bytes, payload: bytes) -> bytes:
    digest = hashlib.blake2b(fields, digest_size=_CHECKSUM_BYTES)
    digest.update(payload)
    return digest.digest()
