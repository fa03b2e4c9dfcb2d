"""Cached vectors equal the encoder's; damaged or surplus ones are computed again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.text import vector_cache
from edgewright.agents.text.encoder import MiniLM, Vectors, minilm
from edgewright.agents.text.vector_cache import VectorCache

TEXTS = ["What is this?", "Describe the photo."]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that go through the encoder."""
    passed: list[str] = []
    layered = MiniLM.layered

    def noted(self: MiniLM, texts: Sequence[str]) -> Vectors:
        passed.extend(texts)
        return layered(self, texts)

    monkeypatch.setattr(MiniLM, "layered", noted)
    return passed


def test_only_new_texts_are_encoded(tmp_path: Path, encoded: list[str]) -> None:
    VectorCache(tmp_path).layered(TEXTS)
    found = VectorCache(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert encoded == [*TEXTS, "Is it a cat?"]
    exact = minilm().layered(["Is it a cat?", *TEXTS])
    assert np.abs(found - exact).max() <= np.abs(exact).max() / 254 + 1e-6
    again = VectorCache(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert np.array_equal(found, again)


def test_a_damaged_file_costs_only_time(
    tmp_path: Path, encoded: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    VectorCache(tmp_path).layered(TEXTS)
    (kept,) = tmp_path.glob("sentence-vectors-*.safetensors")
    kept.write_bytes(b"\x08\0\0\0\0\0\0\0 broken")
    VectorCache(tmp_path).layered(TEXTS)
    VectorCache(tmp_path).layered(TEXTS)
    assert encoded == TEXTS * 2
    assert "damaged" in caplog.text


def test_the_oldest_are_forgotten(
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
