"""The frame: the checked envelope around the features that a head sends to its tail.

Layout, little-endian, 22 bytes before the payload::

    magic 3s | version u8 | point u16 | codec fingerprint 8s | checksum 8s

The fingerprint identifies model, weights, partition point, shape and tables. Two nodes with the
same codec share all of these, so frames do not repeat them and there is no session state to lose on
a restart. The checksum is BLAKE2b over everything else, so a damaged frame is rejected as a whole.
It protects against faults, not against forgery: a node's API keys control who may send frames.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.errors import FrameError

MAGIC = b"EWF"
VERSION = 2
#: Default maximum size of a frame.
MAX_FRAME_BYTES = 4_000_000

_FIELDS = struct.Struct("<3sBH8s")
_CHECKSUM_BYTES = 8
HEADER_BYTES = _FIELDS.size + _CHECKSUM_BYTES


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A received frame whose checksum was verified; made by ``read_frame``.

    Attributes:
        point: Partition point.
        fingerprint: Fingerprint of the codec that made the payload.
        payload: The encoded features.
    """

    point: int
    fingerprint: bytes
    payload: bytes

    def payload_for(self, codec: FeatureCodec) -> bytes:
        """Return the payload if ``codec`` may decode it.

        Args:
            codec: The codec for the partition point that the frame names.

        Raises:
            FrameError: Another codec or other weights made the frame (``frame_fingerprint``).
        """
        if (self.point, self.fingerprint) != (codec.point, codec.fingerprint):
            raise FrameError(
                "the frame was made with another codec or other weights than this node's; "
                "install the same release and model revision on both nodes",
                code="frame_fingerprint",
            )
        return self.payload


def pack(payload: bytes, codec: FeatureCodec) -> bytes:
    """Wrap a payload in a frame.

    Args:
        payload: The output of ``codec.encode``.
        codec: The codec that encoded it.
    """
    fields = _FIELDS.pack(MAGIC, VERSION, codec.point, codec.fingerprint)
    return fields + _checksum(fields, payload) + payload


def read_frame(frame: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Frame:
    """Verify a frame without decoding its payload.

    Args:
        frame: The bytes as received.
        max_bytes: Maximum length of a frame.

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
    payload = frame[HEADER_BYTES:]
    if _checksum(fields, payload) != checksum:
        raise FrameError(
            "the frame was cut short or damaged on its way (checksum); send it again",
            code="frame_checksum",
        )
    return Frame(point=point, fingerprint=fingerprint, payload=payload)


def unpack(frame: bytes, codec: FeatureCodec, *, max_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Verify a frame and return its payload.

    Args:
        frame: The bytes as received.
        codec: The codec for the partition point that the frame's header names.
        max_bytes: Maximum length of a frame.

    Raises:
        FrameError: As for ``read_frame`` and ``Frame.payload_for``.
    """
    return read_frame(frame, max_bytes=max_bytes).payload_for(codec)


def _checksum(fields: bytes, payload: bytes) -> bytes:
    digest = hashlib.blake2b(fields, digest_size=_CHECKSUM_BYTES)
    digest.update(payload)
    return digest.digest()
