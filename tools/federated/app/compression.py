"""How a client's update becomes bytes and back; every byte is checked on the way back."""

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
    """Code an update.

    Args:
        update: float32 [W], all tensors one after the other.
        compression: How.
        sizes: Numbers of weights of the tensors, in order; their sum is W.
        residual: What earlier rounds left unsent, float32 [W]; only for top-k.

    Returns:
        The payload, and what this round leaves unsent (None but for top-k).
    """
    if isinstance(compression, Int8):
        return _to_int8(update, sizes), None
    if isinstance(compression, TopK):
        return _to_top_k(update if residual is None else update + residual, compression.share)
    return update.astype("<f4").tobytes(), None


def decompress(payload: bytes, compression: Compression, sizes: Sequence[int]) -> Vector:
    """Decode a payload.

    Args:
        payload: Bytes from a client that is not trusted.
        compression: What the client was told to use.
        sizes: As for ``compress``.

    Returns:
        float32 [W]. The values may still be anything that a float can be.

    Raises:
        InputError: The payload is not one that ``compress`` can have made (``bad_update``).
    """
    if isinstance(compression, Int8):
        return _from_int8(payload, sizes)
    if isinstance(compression, TopK):
        return _from_top_k(payload, sum(sizes), compression.share)
    _need(len(payload) == 4 * sum(sizes), "wrong length")
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
    _need(len(payload) == header + sum(sizes), "wrong length")
    scales = np.frombuffer(payload[:header], dtype="<f4")
    codes = np.frombuffer(payload, dtype=np.int8, offset=header).astype(np.float32)
    update: Vector = codes * np.repeat(scales, sizes)
    return update


def _kept(total: int, share: float) -> int:
    return max(1, int(total * share))


def _to_top_k(wanted: Vector, share: float) -> tuple[bytes, Vector]:
    count = _kept(len(wanted), share)
    largest = np.sort(np.argpartition(np.abs(wanted), -count)[-count:])
    residual = wanted.copy()
    residual[largest] = 0.0
    return largest.astype("<u4").tobytes() + wanted[largest].astype("<f4").tobytes(), residual


def _from_top_k(payload: bytes, total: int, share: float) -> Vector:
    count = _kept(total, share)
    _need(len(payload) == 8 * count, "wrong length")
    indices = np.frombuffer(payload, dtype="<u4", count=count)
    _need(bool(np.all(np.diff(indices.astype(np.int64)) > 0)), "indices out of order")
    _need(int(indices[-1]) < total, "index out of range")
    update = np.zeros(total, dtype=np.float32)
    update[indices] = np.frombuffer(payload, dtype="<f4", offset=4 * count)
    return update


def _need(condition: bool, reason: str) -> None:
    if not condition:
        raise InputError(f"the update cannot be decoded: {reason}", code="bad_update")
