"""The shipped models match the current texts, so no first request waits for a fit."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.fl_coder.constraints import classifier
from edgewright.agents.planner.fitting import model
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.text.encoder import MiniLM
from edgewright.agents.text.vector_cache import VectorCache
from edgewright.tools.cards import CardRegistry


def _stale(*_: object) -> None:
    raise AssertionError("run 'make fit-models': the shipped model was fitted to other texts")


def test_the_builtin_cards_need_no_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planner_cache: Path
) -> None:
    monkeypatch.setattr(model, "fit", _stale)
    examples = collect(CardRegistry.builtin())
    shipped = model.load_model(examples, VectorCache(planner_cache), tmp_path)
    assert shipped.vectors.shape == (len(examples.requests), 768)
    assert np.isfinite(shipped.heads.weights).all()
    assert not list(tmp_path.iterdir())


def test_the_coders_phrases_need_no_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MiniLM, "layered", _stale)
    assert np.isfinite(classifier.load_reader(tmp_path).heads.weights).all()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [model.SHIPPED, classifier.SHIPPED], ids=lambda path: path.name)
def test_a_refit_adds_at_most_a_megabyte(place: Path) -> None:
    manifest = json.loads((place.parent / "manifest.json").read_text("utf-8"))
    content = place.read_bytes()
    assert manifest["sha256"] == {place.name: hashlib.sha256(content).hexdigest()}
    assert len(content) <= 1_000_000
