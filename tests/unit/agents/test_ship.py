"""What ships is of the cards as they are, so that nobody's first request waits for a fit."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.fl_coder.reader import fit_reader
from edgewright.agents.planner import model
from edgewright.agents.planner.encoder import MiniLM
from edgewright.agents.planner.examples import collect
from edgewright.agents.planner.kept import SHIPPED
from edgewright.agents.ship import MANIFEST
from edgewright.tools.cards import CardRegistry


def test_the_cards_built_in_need_no_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> None:
        raise AssertionError("run 'make planner-model': what ships is not of these cards")

    monkeypatch.setattr(model, "fit", stale)
    monkeypatch.setattr(MiniLM, "layered", stale)
    examples = collect(CardRegistry.builtin())
    shipped = model.fit_once(examples, tmp_path)
    assert shipped.vectors.shape == (len(examples.requests), 768)
    assert np.isfinite(shipped.heads.weights).all()
    assert not list(tmp_path.iterdir())


def test_the_coders_phrases_need_no_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> None:
        raise AssertionError("run 'make planner-model': what ships is not of constraints.yaml")

    monkeypatch.setattr(MiniLM, "layered", stale)
    assert np.isfinite(fit_reader(tmp_path).heads.weights).all()
    assert not list(tmp_path.iterdir())


def test_the_manifest_names_what_ships() -> None:
    manifest = json.loads((SHIPPED / MANIFEST).read_text("utf-8"))
    files = {path.name: path.read_bytes() for path in SHIPPED.glob("*.safetensors")}
    assert manifest["sha256"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
