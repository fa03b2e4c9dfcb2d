"""What speaks for each card in a request, and how much each kind of evidence is worth.

Three kinds: what the heads say of the whole request, what they say of its clauses, and what the
nearest examples asked for. Three questions are put to them in turn: is any card asked for, which
one above all, and which further ones? Each is answered by a logistic regression on a few
log-odds, the same for all cards, so that there are four to six numbers a question. They are fitted
on examples that the heads and the neighbours had not seen (stacking, Wolpert 1992), and so is the
last step, from the probability of a reading to how often such readings are right (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How many of the nearest examples are asked; and how fast their say falls with the cosine.
NEIGHBOURS = 20
WIDTH = 0.1
#: How much likelier it is that a card is asked for when a picture is at hand.
IN_VIEW = 3.0
#: How much likelier it is than among the examples that a turn repeats an earlier one.
REPEATED = 2.0
#: Log-odds stay within those of this probability and its opposite.
LEAST = 1e-3
#: Neighbours that are searched at a time, which bounds the memory.
_ROWS = 256

Numbers = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """What speaks for the labels in some requests.

    Attributes:
        whole: Probabilities by the heads for each request, float32 ``[R, labels]``.
        clauses: The same for the clauses of each request, float32 ``[C, labels]`` a request.
        near: Shares of the labels among the nearest examples, float32 ``[R, labels]``.
        several: Probability by a head that a request asks for several cards, float32 ``[R]``.
    """

    whole: Numbers
    clauses: Sequence[Numbers]
    near: Numbers
    several: Numbers


@dataclass(frozen=True)
class Verdict:
    """What is thought of some requests.

    Attributes:
        asked: Probability that any card is asked for, ``[R]``.
        cards: Probability of each card, given that any is asked for, ``[R, tools]``.
        chosen: Which cards each request asks for, bool ``[R, tools]``.
        certainty: Calibrated probability that the choice is right, ``[R]``.
    """

    asked: Numbers
    cards: Numbers
    chosen: Flags
    certainty: Numbers


@dataclass(frozen=True)
class Judge:
    """The fitted numbers: weights of whole, clauses and neighbours, and an intercept.

    Attributes:
        any: Is any card asked for?
        first: Which one above all?
        further: Which others? The clauses that do not ask for the first stand for the neighbours.
        trust: Weight and intercept from log-odds of a reading to how often it is right.
    """

    any: Numbers
    first: Numbers
    further: Numbers
    trust: Numbers

    def verdict(self, evidence: Evidence, tools: int, in_view: Flags | None = None) -> Verdict:
        """Decide what requests ask for.

        Args:
            evidence: What speaks for the labels.
            tools: How many of the labels lead to tasks; they come first.
            in_view: Which of the requests have a picture at hand.
        """
        odds = linear(any_odds(evidence, tools), self.any)
        if in_view is not None:
            odds = odds + np.where(in_view, np.log(IN_VIEW), 0)
        return self._decided(evidence, tools, sigmoid(odds))

    def _decided(self, evidence: Evidence, tools: int, asked: Numbers) -> Verdict:
        rows = np.arange(len(asked))
        scores = linear(card_odds(evidence, tools), self.first)
        best = scores.argmax(axis=1)
        cards = sigmoid(linear(further_odds(evidence, tools, best), self.further))
        cards[rows, best] = 1
        chosen = cards >= 0.5
        # The first card against those that are not taken beside it.
        strength = np.exp(scores - scores.max(axis=1, keepdims=True))
        cards[rows, best] = 1 / (1 + np.where(chosen, 0, strength).sum(axis=1))
        certainty = asked * np.where(chosen, cards, 1 - cards).prod(axis=1)
        chosen &= (asked >= 0.5)[:, None]
        certainty = np.where(asked >= 0.5, certainty, 1 - asked)
        return Verdict(
            asked=asked,
            cards=cards,
            chosen=chosen,
            certainty=sigmoid(linear(logit(certainty)[:, None], self.trust)),
        )


def nearest(queries: Numbers, vectors: Numbers, truth: Numbers) -> Numbers:
    """Return the labels' shares among the nearest examples, float32 ``[R, labels]``.

    Args:
        queries: Sentence vectors, float32 ``[R, D]``.
        vectors: Those of the examples, float32 ``[N, D]``; all have the same length.
        truth: Share of each label in what each example asks for, float32 ``[N, labels]``.
    """
    count = min(NEIGHBOURS, len(vectors))
    shares = np.zeros((len(queries), truth.shape[1]), np.float32)
    length = np.linalg.norm(vectors[:1]) ** 2
    for start in range(0, len(queries), _ROWS):
        cosines = queries[start : start + _ROWS] @ vectors.T / length
        order = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        votes = np.exp((np.take_along_axis(cosines, order, axis=1) - 1) / WIDTH)
        votes /= votes.sum(axis=1, keepdims=True)
        shares[start : start + _ROWS] = np.einsum("rk,rkl->rl", votes, truth[order])
    return shares


def any_odds(evidence: Evidence, tools: int) -> Numbers:
    """Return the log-odds that any card is asked for, by kind of evidence, ``[R, 3]``."""
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
    """Return the log-odds of each card beside the first one, ``[R, tools, 5]``.

    Besides the odds of the card itself there are those by the clauses without the one that best
    asks for the first card, and those that the request asks for several cards at all.
    """
    rest = np.zeros((len(first), tools))
    for row, (clauses, card) in enumerate(zip(evidence.clauses, first.tolist(), strict=True)):
        others = np.delete(clauses[:, :tools], clauses[:, card].argmax(), axis=0)
        rest[row] = others.max(axis=0, initial=0)
    several = np.repeat(logit(evidence.several)[:, None], tools, axis=1)
    return np.concatenate(
        [card_odds(evidence, tools), np.stack([logit(rest), several], axis=-1)], axis=-1
    )


def _smoothed(shares: Numbers) -> Numbers:
    """Count half a neighbour for and half a one against."""
    smoothed: Numbers = (shares * NEIGHBOURS + 0.5) / (NEIGHBOURS + 1)
    return smoothed


def logit(probabilities: Numbers) -> Numbers:
    """Return log-odds, within those of ``LEAST`` and its opposite."""
    inside = np.clip(probabilities, LEAST, 1 - LEAST)
    odds: Numbers = np.log(inside / (1 - inside))
    return odds


def sigmoid(odds: Numbers) -> Numbers:
    """Return the probabilities of log-odds."""
    probabilities: Numbers = 1 / (1 + np.exp(-odds))
    return probabilities


def linear(features: Numbers, weights: Numbers) -> Numbers:
    """Return ``features [..., F]`` times ``weights [F + 1]``, whose last entry is the intercept."""
    scores: Numbers = features @ weights[:-1] + weights[-1]
    return scores
