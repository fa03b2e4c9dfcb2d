"""Compression of client updates; decompression validates every byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import Compression, Int8, TopK

Vector = NDArray[np.float32]


def compress(
    update: Vector, compression: Compression, sizes: Sequence[int], residual: Vector | None
) -> tuple[bytes, Vector | None]:
    """Encode an update.

    Args:
        update: float32 [W], all tensors concatenated.
        compression: The compression method.
        sizes: Number of weights of each tensor, in order; their sum is W.
        residual: Unsent remainder of earlier rounds, float32 [W]; only for top-k.

    Returns:
        The payload, and the unsent remainder of this round (None except for top-k).
    """
    if isinstance(compression, Int8):
        return _to_int8(update, sizes), None
    if isinstance(compression, TopK):
        return _to_top_k(update if residual is None else update + residual, compression.share)
    return update.astype("<f4").tobytes(), None


def decompress(payload: bytes, compression: Compression, sizes: Sequence[int]) -> Vector:
    """Decode a payload.

    Args:
        payload: Bytes from an untrusted client.
        compression: The method that the client was configured to use.
        sizes: As for ``compress``.

    Returns:
        float32 [W]. The values are unchecked and may be NaN or infinite.

    Raises:
        InputError: ``compress`` cannot have produced the payload (``bad_update``).
    """
    if isinstance(compression, Int8):
        return _from_int8(payload, sizes)
    if isinstance(compression, TopK):
        return _from_top_k(payload, sum(sizes), compression.share)
    _require(len(payload) == 4 * sum(sizes), "wrong length")
    return np.frombuffer(payload, dtype="<f4").astype(np.float32, copy=False)


def _to_int8(update: Vector, sizes: Sequence[int]) -> bytes:
    pieces = np.split(update, np.cumsum(sizes)[:-1])
    scales = np.array([max(np.abs(piece).max(initial=0.0) / 127, 1e-12) for piece in pieces], "<f4")
    codes = [
        np.clip(np.rint(piece / scale), -127, 127).astype(np.int8)
        for piece, scale in zip(pieces, scales, strict=True)
    ]
    return bytes(scales.tobytes() + np.concatenate(codes).tobytes())


def _from_int8(payload: bytes, sizes: Sequence[int]) -> Vector:
    header = 4 * len(sizes)
    _require(len(payload) == header + sum(sizes), "wrong length")
    scales = np.frombuffer(payload[:header], dtype="<f4")
    codes = np.frombuffer(payload, dtype=np.int8, offset=header).astype(np.float32)
    update: Vector = codes * np.repeat(scales, sizes)
    return update


def _sent_count(total: int, share: float) -> int:
    return max(1, int(total * share))


def _to_top_k(full_update: Vector, share: float) -> tuple[bytes, Vector]:
    count = _sent_count(len(full_update), share)
    largest = np.sort(np.argpartition(np.abs(full_update), -count)[-count:])
    residual = full_update.copy()
    residual[largest] = 0.0
    return largest.astype("<u4").tobytes() + full_update[largest].astype("<f4").tobytes(), residual


def _from_top_k(payload: bytes, total: int, share: float) -> Vector:
    count = _sent_count(total, share)
    _require(len(payload) == 8 * count, "wrong length")
    indices = np.frombuffer(payload, dtype="<u4", count=count)
    _require(bool(np.all(np.diff(indices.astype(np.int64)) > 0)), "indices out of order")
    _require(int(indices[-1]) < total, "index out of range")
    update = np.zeros(total, dtype=np.float32)
    update[indices] = np.frombuffer(payload, dtype="<f4", offset=4 * count)
    return update


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise InputError(f"the update cannot be decoded: {reason}", code="bad_update")
