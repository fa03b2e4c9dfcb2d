"""Vectors that are kept are those of the encoder; what is damaged or too much is made anew."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.planner import encodings
from edgewright.agents.planner.encoder import MiniLM, Vectors, minilm
from edgewright.agents.planner.encodings import Encodings

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
    Encodings(tmp_path).layered(TEXTS)
    found = Encodings(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert encoded == [*TEXTS, "Is it a cat?"]
    exact = minilm().layered(["Is it a cat?", *TEXTS])
    assert np.abs(found - exact).max() <= np.abs(exact).max() / 254 + 1e-6
    again = Encodings(tmp_path).layered(["Is it a cat?", *TEXTS])
    assert np.array_equal(found, again)


def test_a_damaged_file_costs_only_time(
    tmp_path: Path, encoded: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    Encodings(tmp_path).layered(TEXTS)
    (kept,) = tmp_path.glob("encodings-*.safetensors")
    kept.write_bytes(b"\x08\0\0\0\0\0\0\0 broken")
    Encodings(tmp_path).layered(TEXTS)
    Encodings(tmp_path).layered(TEXTS)
    assert encoded == TEXTS * 2
    assert "damaged" in caplog.text


def test_the_oldest_are_forgotten(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encodings, "LIMIT", 2)
    for texts in (TEXTS, ["Is it a cat?"], ["Is it a cat?"], TEXTS[:1]):
        Encodings(tmp_path).layered(texts)
    assert encoded == [*TEXTS, "Is it a cat?", TEXTS[0]]


def test_vectors_of_another_encoder_are_not_used(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Encodings(tmp_path).layered(TEXTS)
    monkeypatch.setattr(encodings, "MIDDLE_WEIGHT", 2.0)
    Encodings(tmp_path).layered(TEXTS)
    assert encoded == TEXTS * 2
