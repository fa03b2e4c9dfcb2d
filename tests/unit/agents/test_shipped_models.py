"""The shipped models match the current texts, so no first request waits for a fit."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.fl_coder.constraints import classifier
from edgewright.agents.planner.fitting import model
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.text.array_cache import StoredArrays, cached, read_arrays, write_arrays
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


@pytest.mark.parametrize("place", [model.SHIPPED, classifier.SHIPPED], ids=lambda path: path.name)
def test_a_changed_file_is_not_used(place: Path, tmp_path: Path) -> None:
    stored = read_arrays(place)
    assert stored is not None
    changed = tmp_path / place.name
    (tmp_path / "manifest.json").write_bytes((place.parent / "manifest.json").read_bytes())
    arrays = {name: np.zeros_like(array) for name, array in stored.arrays.items()}
    write_arrays(changed, StoredArrays(arrays, stored.notes))
    made = StoredArrays({"made": np.ones(1)})
    key, cache = stored.notes["key"], tmp_path / "cache"
    assert list(cached(key, cache, lambda: made, shipped=changed).arrays) == ["made"]
    assert (
        cached(key, tmp_path / "other", lambda: made, shipped=place).arrays.keys() == arrays.keys()
    )
