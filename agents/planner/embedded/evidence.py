"""Combines the evidence for each card in a request into a decision.

There are three kinds of evidence: the heads on the whole request, the heads on its clauses, and the
labels of the nearest examples. Three questions are answered in turn: is any card requested, which
one first of all, and which further ones? Each is a logistic regression on a few log-odds, shared by
all cards, so it has only four to six parameters. They are fitted on examples that neither the heads
nor the neighbours have seen (stacking, Wolpert 1992). So is the last step, which calibrates the
probability of a reading by how often such readings are right (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.products import product

#: Number of nearest examples that vote, and the temperature of their weights by cosine.
NEIGHBOURS = 20
WIDTH = 0.1
#: Factor on the odds that any card is requested if the request comes with an image.
WITH_IMAGE = 3.0
#: Factor on the share of ``AS_BEFORE`` if there is an earlier turn to repeat: people repeat turns
#: more often than the examples suggest.
REPEATED = 2.0
#: Probabilities are clipped to this distance from 0 and 1.
MIN_PROBABILITY = 1e-3
#: Number of requests whose neighbours are searched at a time, to bound the memory, and from which
#: SciPy's BLAS is worth its import: those of a fit, not the units of one request.
_ROWS = 256
_MANY = 16
#: Number of examples of which the nearest are searched for a single request.
_SHORTLIST = 512

Numbers = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """The evidence for the labels in a batch of requests.

    Attributes:
        whole: Label probabilities for each whole request, float32 ``[R, labels]``.
        clauses: Label probabilities for the clauses of each request, float32 ``[C, labels]`` each.
        near: Shares of the labels among the nearest examples, float32 ``[R, labels]``.
        several: Probability that a request is for several cards, float32 ``[R]``.
    """

    whole: Numbers
    clauses: Sequence[Numbers]
    near: Numbers
    several: Numbers


@dataclass(frozen=True)
class Verdict:
    """The decision on a batch of requests.

    Attributes:
        any_card: Probability that any card is requested, ``[R]``.
        cards: Probability of each card, given that any is requested, ``[R, tools]``.
        chosen: The requested cards, bool ``[R, tools]``.
        certainty: Calibrated probability that the choice is right, ``[R]``.
    """

    any_card: Numbers
    cards: Numbers
    chosen: Flags
    certainty: Numbers


@dataclass(frozen=True)
class Judge:
    """The fitted regressions: weights of whole, clauses and neighbours, then an intercept.

    Attributes:
        any: Is any card requested?
        first: Which card first of all?
        further: Which other cards? See ``further_odds`` for its two additional inputs.
        trust: Weight and intercept that calibrate the log-odds of a reading.
    """

    any: Numbers
    first: Numbers
    further: Numbers
    trust: Numbers

    def verdict(self, evidence: Evidence, tools: int, has_image: Flags | None = None) -> Verdict:
        """Decide which cards are requested.

        Args:
            evidence: The evidence for the labels.
            tools: Number of labels that lead to tasks; they come first.
            has_image: Which of the requests come with an image.
        """
        odds = linear(any_odds(evidence, tools), self.any)
        if has_image is not None:
            odds = odds + np.where(has_image, np.log(WITH_IMAGE), 0)
        return self._decided(evidence, tools, sigmoid(odds))

    def _decided(self, evidence: Evidence, tools: int, any_card: Numbers) -> Verdict:
        rows = np.arange(len(any_card))
        scores = linear(card_odds(evidence, tools), self.first)
        best = scores.argmax(axis=1)
        cards = sigmoid(linear(further_odds(evidence, tools, best), self.further))
        cards[rows, best] = 1
        chosen = cards >= 0.5
        # The first card competes with those that are not chosen along with it.
        strength = np.exp(scores - scores.max(axis=1, keepdims=True))
        cards[rows, best] = 1 / (1 + np.where(chosen, 0, strength).sum(axis=1))
        certainty = any_card * np.where(chosen, cards, 1 - cards).prod(axis=1)
        chosen &= (any_card >= 0.5)[:, None]
        certainty = np.where(any_card >= 0.5, certainty, 1 - any_card)
        return Verdict(
            any_card=any_card,
            cards=cards,
            chosen=chosen,
            certainty=sigmoid(linear(logit(certainty)[:, None], self.trust)),
        )


def nearest(queries: Numbers, vectors: Numbers, truth: Numbers) -> Numbers:
    """Return the shares of the labels among the nearest examples, float32 ``[R, labels]``.

    Args:
        queries: Sentence vectors of the requests, float32 ``[R, D]``.
        vectors: Sentence vectors of the examples, float32 ``[N, D]``; all of the same norm.
        truth: Share of each label in each example, float32 ``[N, labels]``.
    """
    count = min(NEIGHBOURS, len(vectors))
    shares = np.zeros((len(queries), truth.shape[1]), np.float32)
    length = np.linalg.norm(vectors[:1]) ** 2
    if len(queries) < _MANY and len(vectors) > _SHORTLIST:
        for row, query in enumerate(queries):
            listed = _shortlisted(query, vectors)
            cosines = (vectors[listed] @ query / length)[None]
            shares[row] = _voted(cosines, truth[listed], count)[0]
        return shares
    multiplied = product if len(queries) >= _MANY else np.matmul
    for start in range(0, len(queries), _ROWS):
        cosines = multiplied(queries[start : start + _ROWS], vectors.T) / length
        shares[start : start + _ROWS] = _voted(cosines, truth, count)
    return shares


def _voted(cosines: Numbers, truth: Numbers, count: int) -> Numbers:
    """Return the shares of the labels among the nearest examples by cosines ``[R, N]``."""
    order = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    votes = np.exp((np.take_along_axis(cosines, order, axis=1) - 1) / WIDTH)
    votes /= votes.sum(axis=1, keepdims=True)
    found: Numbers = np.einsum("rk,rkl->rl", votes, truth[order])
    return found


def _shortlisted(query: Numbers, vectors: Numbers) -> NDArray[np.intp]:
    """Return the examples that are near a query by a part of the vectors.

    For a single request, reading all vectors from memory takes most of the time.
    """
    part = vectors.shape[1] // 4
    near = vectors[:, :part] @ query[:part]
    return np.argpartition(-near, _SHORTLIST - 1)[:_SHORTLIST]


def any_odds(evidence: Evidence, tools: int) -> Numbers:
    """Return the log-odds that any card is requested, by kind of evidence, ``[R, 3]``."""
    best = np.array([rows[:, :tools].sum(axis=1).max() for rows in evidence.clauses])
    return np.stack(
        [
            logit(evidence.whole[:, :tools].sum(axis=1)),
            logit(best),
            logit(_smoothed(evidence.near[:, :tools].sum(axis=1))),
        ],
        axis=-1,
    )


def card_odds(evidence: Evidence, tools: int) -> Numbers:
    """Return the log-odds of each card by kind of evidence, ``[R, tools, 3]``."""
    return np.stack(
        [
            logit(evidence.whole[:, :tools]),
            logit(np.array([rows[:, :tools].max(axis=0) for rows in evidence.clauses])),
            logit(_smoothed(evidence.near[:, :tools])),
        ],
        axis=-1,
    )


def further_odds(evidence: Evidence, tools: int, first: NDArray[np.intp]) -> Numbers:
    """Return the log-odds of each card in addition to the first one, ``[R, tools, 5]``.

    To the odds of the card itself they add its odds in the clauses other than the best one for the
    first card, and the odds that the request is for several cards at all.
    """
    elsewhere = np.zeros((len(first), tools))
    for row, (clauses, card) in enumerate(zip(evidence.clauses, first.tolist(), strict=True)):
        others = np.delete(clauses[:, :tools], clauses[:, card].argmax(), axis=0)
        elsewhere[row] = others.max(axis=0, initial=0)
    several = np.repeat(logit(evidence.several)[:, None], tools, axis=1)
    return np.concatenate(
        [card_odds(evidence, tools), np.stack([logit(elsewhere), several], axis=-1)], axis=-1
    )


def _smoothed(shares: Numbers) -> Numbers:
    """Smooth shares by half a neighbour for and half a neighbour against."""
    smoothed: Numbers = (shares * NEIGHBOURS + 0.5) / (NEIGHBOURS + 1)
    return smoothed


def logit(probabilities: Numbers) -> Numbers:
    """Return the log-odds of probabilities, clipped by ``MIN_PROBABILITY``."""
    clipped = np.clip(probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    odds: Numbers = np.log(clipped / (1 - clipped))
    return odds


def sigmoid(odds: Numbers) -> Numbers:
    """Return the probabilities for log-odds."""
    probabilities: Numbers = 1 / (1 + np.exp(-odds))
    return probabilities


def linear(features: Numbers, weights: Numbers) -> Numbers:
    """Return ``features [..., F]`` times ``weights [F + 1]``, whose last entry is the intercept."""
    scores: Numbers = features @ weights[:-1] + weights[-1]
    return scores
