"""Fits the model of a large catalogue in closed form.

Evidence and judge are the same as for a small one. The heads are discriminants on the sentence
vectors alone: their gradient would take hours, and words that many cards share say little of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Flags
from edgewright.agents.planner.embedded.model import RequestModel, Texts
from edgewright.agents.planner.fitting.examples import FOLDS, Examples
from edgewright.agents.planner.fitting.judge import fit_judge
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.discriminant import Discriminant, scaled, temperature
from edgewright.agents.text.heads import Features, Heads

#: Number of examples that the judge is fitted on, of each kind: for one card, for several and for
#: none. It has only a dozen parameters.
JUDGED = 80
#: Every so many examples teach whether a request is for several cards: a question of two labels.
COUNTED = 4


@dataclass(frozen=True)
class _HeldOut:
    """Examples that the judge is fitted on, with heads and neighbours that have not seen them."""

    rows: NDArray[np.intp]
    heads: Heads
    several: Heads
    near: Vectors


def fit_large(examples: Examples, texts: Texts, truth: Vectors) -> RequestModel:
    """Fit the model of a catalogue.

    Args:
        examples: The training examples.
        texts: Their texts and sentence vectors.
        truth: Share of each label in each example, float32 ``[N, labels]``.
    """
    from scipy.sparse import csr_array

    vectors = texts.whole_vectors
    requested = truth[:, : examples.tools] > 0
    counts = np.eye(2, dtype=np.float32)[(requested.sum(axis=1) > 1).astype(int)]
    which, columns = (truth > 0).nonzero()  # of flags: much faster than of numbers
    shares = csr_array((truth[which, columns], (which, columns)), truth.shape)
    number = csr_array(counts)
    by_label = Discriminant.of(vectors, shares)
    some = np.arange(len(truth)) % COUNTED == 0
    by_count = Discriminant.of(vectors[some], number[some])
    folds = np.array([example.fold for example in examples.requests])
    judged = _spread(requested)
    parts = []
    for fold in range(FOLDS):
        out = folds == fold
        rows = judged[out[judged]]
        parts.append(
            _HeldOut(
                rows=rows,
                heads=by_label.heads(vectors[out], shares[out]),
                several=by_count.heads(vectors[out & some], number[out & some]),
                near=evidence.nearest(vectors[rows], vectors[~out], truth[~out]),
            )
        )
    rows = np.concatenate([part.rows for part in parts])
    factor = temperature(
        np.vstack([part.heads.logits(vectors[part.rows]) for part in parts]), truth[rows]
    )
    count_factor = temperature(
        np.vstack([part.several.logits(vectors[part.rows]) for part in parts]), counts[rows]
    )
    parts = [
        _HeldOut(
            part.rows, scaled(part.heads, factor), scaled(part.several, count_factor), part.near
        )
        for part in parts
    ]
    return RequestModel(
        labels=examples.labels,
        tools=examples.tools,
        features=Features(words={}, weights=np.zeros(0, np.float32)),
        heads=scaled(by_label.heads(), factor),
        several=scaled(by_count.heads(), count_factor),
        vectors=vectors,
        truth=truth,
        judge=fit_judge(_evidence(parts, texts), requested[rows]),
    )


def _evidence(parts: list[_HeldOut], texts: Texts) -> Evidence:
    vectors = texts.whole_vectors
    of_request = texts.by_owner(texts.clause_vectors)
    clauses: list[Vectors] = []
    for part in parts:
        own = [of_request[row] for row in part.rows.tolist()]
        ends = np.cumsum([len(rows) for rows in own])[:-1]
        clauses += np.split(part.heads.probabilities(np.vstack(own)), ends)
    return Evidence(
        whole=np.vstack([part.heads.probabilities(vectors[part.rows]) for part in parts]),
        clauses=clauses,
        near=np.vstack([part.near for part in parts]),
        several=np.concatenate(
            [part.several.probabilities(vectors[part.rows])[:, 1] for part in parts]
        ),
    )


def _spread(requested: Flags) -> NDArray[np.intp]:
    """Return up to ``JUDGED`` rows of each kind, evenly spread over the examples."""
    number = requested.sum(axis=1)
    chosen = [
        rows[np.linspace(0, len(rows) - 1, min(JUDGED, len(rows))).astype(int)]
        for kind in (number == 1, number > 1, number == 0)
        if len(rows := np.flatnonzero(kind))
    ]
    return np.sort(np.concatenate(chosen))
