"""A catalogue is fitted once, even if several threads load its model at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.planner.fitting import model
from edgewright.agents.planner.fitting.examples import FOLDS, Example, Examples
from edgewright.agents.planner.fitting.model import load_model
from edgewright.agents.text.encoder import MiniLM
from edgewright.agents.text.vector_cache import VectorCache


def examples() -> Examples:
    phrases = {0: "translate the {}", 1: "the {} once more", 2: "what a fine {}"}
    things = ("letter", "page", "note", "story", "poem", "book")
    texts = [(phrase.format(thing), label) for label, phrase in phrases.items() for thing in things]
    return Examples(
        labels=("translation", "as-before", "everyday-talk"),
        tools=2,
        requests=tuple(
            Example(Words(text, (text,)), (label,), row % FOLDS)
            for row, (text, label) in enumerate(texts)
        ),
    )


def test_concurrent_loads_share_one_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[RequestModel] = []
    start, fit = Barrier(3), model.fit

    def record(learned_from: Examples, encoder: MiniLM | VectorCache) -> RequestModel:
        fits.append(fit(learned_from, encoder))
        return fits[-1]

    def load(_: int) -> RequestModel:
        start.wait()
        return load_model(examples(), VectorCache(tmp_path), tmp_path / "planner")

    monkeypatch.setattr(model, "fit", record)
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(load, range(3)))
    assert len(fits) == 1
    assert all(np.array_equal(one.heads.weights, fits[0].heads.weights) for one in models)
