"""Transformer blocks in NumPy, for texts of different lengths side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
#: A product of two matrices.
Multiply = Callable[[Vectors, Vectors], Vectors]

_GELU_SCALE = 0.7978845608028654


@dataclass(frozen=True)
class Block:
    """A transformer block that normalises after each part, as BERT does.

    Matrices are ``[in, out]``; query, key and value are merged, and the queries are scaled.
    """

    heads: int
    qkv: Vectors
    qkv_bias: Vectors
    attended: Vectors
    attended_bias: Vectors
    attended_norm: tuple[Vectors, Vectors]
    up: Vectors
    up_bias: Vectors
    down: Vectors
    down_bias: Vectors
    norm: tuple[Vectors, Vectors]

    def __call__(
        self, x: Vectors, lengths: Sequence[int], multiplied: Multiply = np.matmul
    ) -> Vectors:
        """Return the vectors of tokens after the block, float32 ``[T, D]``.

        Args:
            x: The vectors of the tokens of all texts, float32 ``[T, D]``.
            lengths: Number of tokens of each text.
            multiplied: How matrices are multiplied.
        """
        qkv = multiplied(x, self.qkv)
        qkv += self.qkv_bias
        attended = multiplied(self._attend(qkv, lengths), self.attended)
        attended += self.attended_bias
        attended += x
        x = normalised(attended, self.attended_norm)
        wide = multiplied(x, self.up)
        wide += self.up_bias
        narrow = multiplied(_gelu(wide), self.down)
        narrow += self.down_bias
        narrow += x
        return normalised(narrow, self.norm)

    def _attend(self, qkv: Vectors, lengths: Sequence[int]) -> Vectors:
        """Apply attention within each text."""
        width = qkv.shape[1] // 3
        out = np.empty((len(qkv), width), np.float32)
        start = 0
        for length in lengths:
            rows = slice(start, start + length)
            query, key, value = (
                qkv[rows].reshape(length, 3, self.heads, width // self.heads).transpose(1, 2, 0, 3)
            )
            scores = query @ key.transpose(0, 2, 1)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            out[rows] = (scores @ value).transpose(1, 0, 2).reshape(length, width)
            start += length
        return out


def block_of(weights: Mapping[str, Vectors], prefix: str, heads: int) -> Block:
    """Collect a block's weights, which have BERT's names."""
    query, key, value = (
        _linear(weights, f"{prefix}attention.self.{name}") for name in ("query", "key", "value")
    )
    scale = np.float32((query[0].shape[0] // heads) ** -0.5)
    attended, attended_bias = _linear(weights, f"{prefix}attention.output.dense")
    up, up_bias = _linear(weights, f"{prefix}intermediate.dense")
    down, down_bias = _linear(weights, f"{prefix}output.dense")
    return Block(
        heads=heads,
        qkv=np.concatenate([query[0] * scale, key[0], value[0]], axis=1),
        qkv_bias=np.concatenate([query[1] * scale, key[1], value[1]]),
        attended=attended,
        attended_bias=attended_bias,
        attended_norm=norm_of(weights, f"{prefix}attention.output.LayerNorm"),
        up=up,
        up_bias=up_bias,
        down=down,
        down_bias=down_bias,
        norm=norm_of(weights, f"{prefix}output.LayerNorm"),
    )


def norm_of(weights: Mapping[str, Vectors], name: str) -> tuple[Vectors, Vectors]:
    """Return the factors and offsets of a layer normalisation."""
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def normalised(x: Vectors, norm: tuple[Vectors, Vectors]) -> Vectors:
    """Apply layer normalisation over the last axis, in place."""
    x -= x.mean(axis=1, keepdims=True)
    x /= np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + 1e-12)
    x *= norm[0]
    x += norm[1]
    return x


def _linear(weights: Mapping[str, Vectors], name: str) -> tuple[Vectors, Vectors]:
    return np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"]


def _gelu(x: Vectors) -> Vectors:
    """Apply the tanh approximation of GELU, which is within 1e-3 of the exact function."""
    inner = x * x
    inner *= np.float32(0.044715 * _GELU_SCALE)
    inner += np.float32(_GELU_SCALE)
    inner *= x
    np.tanh(inner, out=inner)
    inner += np.float32(1)
    inner *= x
    inner *= np.float32(0.5)
    return inner
