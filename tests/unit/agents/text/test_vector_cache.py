"""The cache returns the encoder's vectors; damaged or dropped ones are computed again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.text import vector_cache
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import MiniLM, minilm
from edgewright.agents.text.vector_cache import VectorCache

TEXTS = ["What is this?", "Describe the photo."]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All texts that the encoder encodes, in order."""
    recorded: list[str] = []
    layered = MiniLM.layered

    def record(self: MiniLM, texts: Sequence[str]) -> Vectors:
        recorded.extend(texts)
        return layered(self, texts)

    monkeypatch.setattr(MiniLM, "layered", record)
    return recorded


def test_only_new_texts_are_encoded(tmp_path: Path, encoded: list[str]) -> None:
    VectorCache(tmp_path).layered(TEXTS)
    cached = VectorCache(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert encoded == [*TEXTS, "Is it a cat?"]
    exact = minilm().layered(["Is it a cat?", *TEXTS])
    assert np.abs(cached - exact).max() <= np.abs(exact).max() / 254 + 1e-6
    again = VectorCache(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert np.array_equal(cached, again)


def test_a_damaged_file_costs_only_time(
    tmp_path: Path, encoded: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    VectorCache(tmp_path).layered(TEXTS)
    (file,) = tmp_path.glob("sentence-vectors-*.safetensors")
    file.write_bytes(b"\x08\0\0\0\0\0\0\0 broken")
    VectorCache(tmp_path).layered(TEXTS)
    VectorCache(tmp_path).layered(TEXTS)
    assert encoded == TEXTS * 2
    assert "damaged" in caplog.text


def test_the_oldest_vectors_are_dropped(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "LIMIT", 2)
    for texts in (TEXTS, ["Is it a cat?"], ["Is it a cat?"], TEXTS[:1]):
        VectorCache(tmp_path).layered(texts)
    assert encoded == [*TEXTS, "Is it a cat?", TEXTS[0]]


def test_vectors_of_another_encoder_are_not_used(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    VectorCache(tmp_path).layered(TEXTS)
    monkeypatch.setattr(vector_cache, "MIDDLE_WEIGHT", 2.0)
    VectorCache(tmp_path).layered(TEXTS)
    assert encoded == TEXTS * 2


def test_progress_is_reported(tmp_path: Path, encoded: list[str]) -> None:
    seen: list[tuple[int, int]] = []
    cache = VectorCache(tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    cache.layered(TEXTS)
    cache.layered(TEXTS)
    assert seen == [(2, 2)]
