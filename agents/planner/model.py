"""The fitted model of a catalogue: examples in, clause probabilities out; kept on disk by hash."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from edgewright.agents.planner import heads
from edgewright.agents.planner.encoder import Vectors, minilm
from edgewright.agents.planner.examples import Examples
from edgewright.agents.planner.heads import Bags, Features, Heads

#: With the settings of the heads, all that shapes a model besides its examples.
VERSION = (3, heads.LEXICAL_WEIGHT, heads.SCALE, heads.MIN_EXAMPLES, heads.STEPS, heads.PENALTY)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClauseModel:
    """Says what a clause asks for.

    Attributes:
        labels: Card ids first, then the names of tasks that no card serves.
        tools: How many of the labels are cards.
        features: What the heads read.
        heads: The softmax over the labels.
    """

    labels: tuple[str, ...]
    tools: int
    features: Features
    heads: Heads

    def probabilities(self, clauses: Sequence[str]) -> Vectors:
        """Return the probability of each label for each clause, float32 ``[C, labels]``."""
        if not clauses:
            return np.zeros((0, len(self.labels)), np.float32)
        return self.heads.probabilities(self.features(clauses, minilm().layered(clauses)))


def fit(examples: Examples) -> ClauseModel:
    """Fit the model of a catalogue; well under a minute for 25 tools."""
    texts = tuple(text for text, _ in examples.phrases)
    clauses = [clause for bag, _ in examples.bags for clause in bag]
    features = Features.fit([*texts, *clauses])
    bags = None
    if examples.bags:
        tools = np.zeros((len(examples.bags), examples.tools), np.float32)
        for row, (_, asked) in enumerate(examples.bags):
            tools[row, list(asked)] = 1
        sizes = [len(bag) for bag, _ in examples.bags]
        bags = Bags(
            features=features(clauses, minilm().layered(clauses)),
            owner=np.repeat(np.arange(len(sizes)), sizes),
            tools=tools,
        )
    fitted = heads.fit(
        features(texts, _vectors(texts)),
        [label for _, label in examples.phrases],
        len(examples.labels),
        bags,
    )
    return ClauseModel(
        labels=examples.labels, tools=examples.tools, features=features, heads=fitted
    )


@lru_cache(maxsize=1)
def _vectors(texts: tuple[str, ...]) -> Vectors:
    """Encode the phrases of a catalogue, which stay the same when its demonstrations change."""
    return minilm().layered(texts)


def fit_once(examples: Examples, folder: Path) -> ClauseModel:
    """Return the model of a catalogue, from the folder if it was fitted before.

    Args:
        examples: What to learn from; their hash names the file.
        folder: Where models are kept. One that cannot be written costs only the time to fit again.
    """
    content = json.dumps([VERSION, examples.labels, examples.phrases, examples.bags])
    path = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.npz"
    try:
        return _load(path, examples)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        _LOG.warning("the kept planner model %s is damaged; fitting it again", path.name)
    model = fit(examples)
    try:
        _save(model, path)
    except OSError as error:
        _LOG.warning("the planner model cannot be kept: %s", error.strerror)
    return model


def _load(path: Path, examples: Examples) -> ClauseModel:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        words: list[str] = stored["words"].tolist()
        features = Features(
            words={word: column for column, word in enumerate(words)}, weights=stored["idf"]
        )
        fitted = Heads(weights=stored["weights"], bias=stored["bias"])
    return ClauseModel(
        labels=examples.labels, tools=examples.tools, features=features, heads=fitted
    )


def _save(model: ClauseModel, path: Path) -> None:
    """Write the file beside its place and move it there, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                words=np.array(list(model.features.words)),
                idf=model.features.weights,
                weights=model.heads.weights,
                bias=model.heads.bias,
            )
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
