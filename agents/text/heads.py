"""Fitted heads: one softmax over everything that words can ask for.

Two kinds of example teach it. A *whole* is a text whose labels are known; if there are several,
each has an equal share. A *bag* is the clauses of a text of which only the set of tools is known:
each of them was asked for by at least one clause, no other tool by any (a noisy-or over the
clauses). Everything is plain numpy, so that fitting on a small board needs no training framework.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.encoder import Vectors

#: Strength of the lexical features beside the sentence vector, and of all features together.
LEXICAL_WEIGHT = 0.9
SCALE = 8.0
#: A word counts when this many examples hold it; a demonstration and the same one between other
#: words are two.
MIN_EXAMPLES = 8
STEPS = 60
LEARNING_RATE = 0.08
PENALTY = 2e-3

_WORD = re.compile(r"[a-z0-9']+")
#: A capital inside a sentence: the talk is of somebody or something that has a name.
_NAME = re.compile(r"(?<=[a-z0-9,;] )[A-Z][a-z]+\b")
#: Words are cut to this length, which does most of what stemming would.
_STEM = 6


@dataclass(frozen=True)
class Features:
    """Sentence vector and weighted words and word pairs of a clause, side by side.

    Attributes:
        words: Column of each known word or pair.
        weights: Inverse document frequency of each, float32 ``[V]``.
        strength: Of the words together, beside the sentence vector.
    """

    words: dict[str, int]
    weights: Vectors
    strength: float = LEXICAL_WEIGHT

    @classmethod
    def fit(
        cls, texts: Sequence[str], *, at_least: int = MIN_EXAMPLES, strength: float = LEXICAL_WEIGHT
    ) -> Features:
        """Learn which words occur, and how telling each is.

        Args:
            texts: What is learnt from.
            at_least: A word counts when so many of them hold it.
            strength: Of the words together, beside the sentence vector.
        """
        counts = Counter(word for text in texts for word in set(_words(text)))
        kept = sorted(word for word, count in counts.items() if count >= at_least)
        weights = [np.log(len(texts) / counts[word]) for word in kept]
        return cls(
            words={word: column for column, word in enumerate(kept)},
            weights=np.asarray(weights, np.float32),
            strength=strength,
        )

    def __call__(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """Return the features of texts and their sentence vectors, float32 ``[N, D + V]``."""
        lexical = np.zeros((len(texts), len(self.words)), np.float32)
        for row, text in enumerate(texts):
            columns = [self.words[word] for word in set(_words(text)) if word in self.words]
            lexical[row, columns] = self.weights[columns]
        lengths = np.maximum(np.linalg.norm(lexical, axis=1, keepdims=True), 1e-6)
        stacked: Vectors = np.hstack([vectors, lexical * (self.strength / lengths)])
        return stacked


@dataclass(frozen=True)
class Heads:
    """The softmax.

    Attributes:
        weights: float32 ``[D + V, labels]``.
        bias: float32 ``[labels]``.
    """

    weights: Vectors
    bias: Vectors

    def probabilities(self, features: Vectors) -> Vectors:
        """Return the probability of each label, float32 ``[N, labels]``."""
        return _softmax(features @ self.weights + self.bias)


@dataclass(frozen=True)
class Bags:
    """Clauses of texts of which only the tools are known.

    Attributes:
        features: Features of all the clauses, float32 ``[C, D + V]``.
        owner: Text that each clause belongs to, int ``[C]``, ascending.
        tools: 1 where a text asks for a tool, float32 ``[R, tools]``, in the labels' order.
    """

    features: Vectors
    owner: NDArray[np.intp]
    tools: Vectors

    def only(self, rows: NDArray[np.bool_]) -> Bags:
        """Return the bags of some of the texts, bool ``[R]``."""
        kept = rows[self.owner]
        place = np.cumsum(rows) - 1
        return Bags(self.features[kept], place[self.owner[kept]], self.tools[rows])


class _Design:
    """Features as the fit multiplies them: nearly all of the lexical ones are zero.

    Args:
        features: float32 ``[N, D + V]``.
        lexical: How many of the columns are lexical; they come last.
    """

    def __init__(self, features: Vectors, lexical: int) -> None:
        from scipy.sparse import csr_array

        self._split = features.shape[1] - lexical
        self._vectors = features[:, : self._split]
        self._words = csr_array(features[:, self._split :])

    def __matmul__(self, weights: Vectors) -> Vectors:
        product: Vectors = self._vectors @ weights[: self._split]
        product += self._words @ weights[self._split :]
        return product

    def gradient(self, by_logit: Vectors) -> Vectors:
        """Return the gradient of weights and bias by that of the logits."""
        bias = by_logit.sum(axis=0, keepdims=True)
        weights = [self._vectors.T @ by_logit, self._words.T @ by_logit]
        stacked: Vectors = np.vstack([*(each * np.float32(SCALE) for each in weights), bias])
        return stacked


def fit(wholes: Vectors, truth: Vectors, bags: Bags | None = None, *, lexical: int = 0) -> Heads:
    """Fit the heads.

    Args:
        wholes: Features of whole texts, float32 ``[N, D + V]``.
        truth: Share of each label in what each text asks for, float32 ``[N, labels]``.
        bags: Clauses of texts, if there are any.
        lexical: How many of the features are lexical.
    """
    design = _Design(wholes, lexical)
    in_bags = _Design(bags.features, lexical) if bags else None
    parameters = np.zeros((wholes.shape[1] + 1, truth.shape[1]), np.float32)
    first = np.zeros_like(parameters)
    second = np.zeros_like(parameters)
    examples = len(wholes) + (len(bags.tools) if bags else 0)
    for step in range(1, STEPS + 1):
        weights = parameters[:-1] * np.float32(SCALE)
        gradient = design.gradient(_softmax(design @ weights + parameters[-1]) - truth)
        if bags is not None and in_bags is not None:
            shares = _softmax(in_bags @ weights + parameters[-1])
            gradient += in_bags.gradient(_noisy_or(shares, bags))
        gradient /= examples
        gradient[:-1] += 2 * PENALTY * parameters[:-1]
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        unbiased = second / (1 - 0.999**step)
        parameters -= LEARNING_RATE / (1 - 0.9**step) * first / (np.sqrt(unbiased) + 1e-8)
    return Heads(weights=parameters[:-1] * np.float32(SCALE), bias=parameters[-1])


def _noisy_or(shares: Vectors, bags: Bags) -> Vectors:
    """Gradient of the bags' loss by the clauses' logits.

    With s the log-probability that no clause asks for a tool, the loss of a text is
    -log(1 - e^s) for its own tools and -s for the others.
    """
    tools = bags.tools.shape[1]
    asked = np.minimum(shares[:, :tools], 1 - 1e-4)
    none = np.zeros_like(bags.tools)
    np.add.at(none, bags.owner, np.log1p(-asked))
    missed = np.exp(np.minimum(none, -1e-4))
    by_none = np.where(bags.tools > 0, missed / (1 - missed), -1)
    by_share = np.zeros_like(shares)
    by_share[:, :tools] = -by_none[bags.owner] / (1 - asked)
    gradient: Vectors = shares * (by_share - (by_share * shares).sum(axis=1, keepdims=True))
    return gradient


def _softmax(logits: Vectors) -> Vectors:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _words(text: str) -> list[str]:
    """Return the stems of a text, the pairs of neighbours, and ``<name>`` for each name."""
    stems = [word[:_STEM] for word in _WORD.findall(text.lower().replace("'s", " is"))]
    pairs = [f"{one} {two}" for one, two in pairwise(["^", *stems])]
    return stems + pairs + ["<name>"] * len(_NAME.findall(text))
