"""Softmax heads on sentence vectors and words, fitted to labelled texts.

They learn from two kinds of example. A *whole* is a text with known labels, which share its weight
equally. A *bag* holds the clauses of a text of which only the set of tools is known: each of these
tools is requested by at least one clause and no other tool by any (a noisy-or over the clauses).
Everything is plain NumPy and SciPy, so fitting on a small board needs no training framework.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.products import product

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Scale of the lexical features relative to the sentence vector, and of all features together.
LEXICAL_WEIGHT = 0.9
SCALE = 8.0
#: Minimum number of examples that contain a word for it to become a feature. A demonstration and
#: its variant with words around it count as two.
MIN_EXAMPLES = 8
STEPS = 60
LEARNING_RATE = 0.08
PENALTY = 2e-3

_WORD = re.compile(r"[a-z0-9']+")
#: A capital letter inside a sentence marks a name.
_NAME = re.compile(r"(?<=[a-z0-9,;] )[A-Z][a-z]+\b")
#: Words are truncated to this length, which approximates stemming.
_STEM = 6


@dataclass(frozen=True)
class Features:
    """Features of a text: its sentence vector, then its weighted words and word pairs.

    Attributes:
        words: Column of each known word or pair.
        weights: Inverse document frequency of each, float32 ``[V]``.
        lexical_weight: Norm of the lexical features relative to the sentence vector.
    """

    words: dict[str, int]
    weights: Vectors
    lexical_weight: float = LEXICAL_WEIGHT

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        *,
        min_examples: int = MIN_EXAMPLES,
        lexical_weight: float = LEXICAL_WEIGHT,
    ) -> Features:
        """Collect the words of texts and weigh them by inverse document frequency.

        Args:
            texts: The training texts.
            min_examples: Minimum number of texts that contain a word for it to become a feature.
            lexical_weight: Norm of the lexical features relative to the sentence vector.
        """
        counts = Counter(word for text in texts for word in set(_words(text)))
        frequent = sorted(word for word, count in counts.items() if count >= min_examples)
        weights = [np.log(len(texts) / counts[word]) for word in frequent]
        return cls(
            words={word: column for column, word in enumerate(frequent)},
            weights=np.asarray(weights, np.float32),
            lexical_weight=lexical_weight,
        )

    def __call__(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """Return the features of texts and their sentence vectors, float32 ``[N, D + V]``."""
        lexical = np.zeros((len(texts), len(self.words)), np.float32)
        for row, (columns, weights) in enumerate(map(self._lexical, texts)):
            lexical[row, columns] = weights
        stacked: Vectors = np.hstack([vectors, lexical])
        return stacked

    def design(self, texts: Sequence[str], vectors: Vectors) -> Design:
        """Return the same features as a design matrix."""
        from scipy.sparse import csr_array

        found = [self._lexical(text) for text in texts]
        ends = np.cumsum([0, *(len(columns) for columns, _ in found)])
        columns = np.concatenate([np.asarray(columns, np.int32) for columns, _ in found])
        weights = np.concatenate([weights for _, weights in found])
        words = csr_array((weights, columns, ends), (len(texts), len(self.words)))
        return Design(vectors, words)

    def _lexical(self, text: str) -> tuple[list[int], Vectors]:
        """Return the columns of a text's words, and their weights."""
        columns = [self.words[word] for word in set(_words(text)) if word in self.words]
        weights = self.weights[columns]
        length = np.float32(max(float(np.linalg.norm(weights)), 1e-6))
        return columns, weights * (np.float32(self.lexical_weight) / length)


@dataclass(frozen=True)
class Design:
    """Features of many texts, whose lexical columns are nearly all zero.

    Attributes:
        vectors: Sentence vectors, float32 ``[N, D]``.
        words: Weighted words and word pairs, float32 ``[N, V]``.
    """

    vectors: Vectors
    words: csr_array

    @property
    def width(self) -> int:
        """Number of features, D + V."""
        return int(self.vectors.shape[1] + self.words.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Design:
        return Design(self.vectors[rows], self.words[rows])

    def __matmul__(self, weights: Vectors) -> Vectors:
        split = self.vectors.shape[1]
        logits = product(self.vectors, weights[:split])
        logits += self.words @ weights[split:]
        return logits

    def gradient(self, by_logit: Vectors) -> Vectors:
        """Return the gradient of weights and bias, given that of the logits."""
        bias = by_logit.sum(axis=0, keepdims=True)
        weights = [product(self.vectors.T, by_logit), self.words.T @ by_logit]
        stacked: Vectors = np.vstack([*(each * np.float32(SCALE) for each in weights), bias])
        return stacked


@dataclass(frozen=True)
class Heads:
    """A fitted softmax layer.

    Attributes:
        weights: float32 ``[D + V, labels]``.
        bias: float32 ``[labels]``.
    """

    weights: Vectors
    bias: Vectors

    def logits(self, features: Vectors | Design) -> Vectors:
        """Return the logit of each label, float32 ``[N, labels]``."""
        logits: Vectors = features @ self.weights + self.bias
        return logits

    def probabilities(self, features: Vectors | Design) -> Vectors:
        """Return the probability of each label, float32 ``[N, labels]``."""
        return _softmax(self.logits(features))


@dataclass(frozen=True)
class Bags:
    """Clauses of texts for which only the set of tools is known.

    Attributes:
        features: Features of the C distinct clauses.
        clauses: How often each text has each clause, float32 ``[R, C]``.
        tools: 1 where a text requests a tool, float32 ``[R, tools]``, in the order of the labels.
    """

    features: Design
    clauses: csr_array
    tools: Vectors

    def select(self, rows: NDArray[np.bool_]) -> Bags:
        """Return the bags of the texts that a mask selects, bool ``[R]``."""
        selected = self.clauses[rows]
        used = np.unique(selected.indices)
        return Bags(self.features[used], selected[:, used], self.tools[rows])


def fit(
    wholes: Design, truth: Vectors, bags: Bags | None = None, *, penalty: float = PENALTY
) -> Heads:
    """Fit the heads.

    Args:
        wholes: Features of N whole texts.
        truth: Target share of each label for each text, float32 ``[N, labels]``.
        bags: Clauses of texts, if there are any.
        penalty: Factor on the squared weights.
    """
    parameters = np.zeros((wholes.width + 1, truth.shape[1]), np.float32)
    first = np.zeros_like(parameters)
    second = np.zeros_like(parameters)
    examples = len(wholes) + (len(bags.tools) if bags else 0)
    for step in range(1, STEPS + 1):
        weights = parameters[:-1] * np.float32(SCALE)
        gradient = wholes.gradient(_softmax(wholes @ weights + parameters[-1]) - truth)
        if bags is not None:
            shares = _softmax(bags.features @ weights + parameters[-1])
            gradient += bags.features.gradient(_noisy_or(shares, bags))
        gradient /= examples
        gradient[:-1] += 2 * penalty * parameters[:-1]
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        unbiased = second / (1 - 0.999**step)
        parameters -= LEARNING_RATE / (1 - 0.9**step) * first / (np.sqrt(unbiased) + 1e-8)
    return Heads(weights=parameters[:-1] * np.float32(SCALE), bias=parameters[-1])


def _noisy_or(shares: Vectors, bags: Bags) -> Vectors:
    """Return the gradient of the bags' loss with respect to the logits of the clauses.

    With s the log-probability that no clause requests a tool, the loss of a text is
    -log(1 - e^s) for its own tools and -s for the others.
    """
    tools = bags.tools.shape[1]
    requested = np.minimum(shares[:, :tools], 1 - 1e-4)
    none = bags.clauses @ np.log1p(-requested)
    missed = np.exp(np.minimum(none, -1e-4))
    by_none = np.where(bags.tools > 0, missed / (1 - missed), np.float32(-1))
    by_share = np.zeros_like(shares)
    by_share[:, :tools] = -(bags.clauses.T @ by_none) / (1 - requested)
    gradient: Vectors = shares * (by_share - (by_share * shares).sum(axis=1, keepdims=True))
    return gradient


def _softmax(logits: Vectors) -> Vectors:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _words(text: str) -> list[str]:
    """Return the stems of a text, their adjacent pairs, and ``<name>`` for each name."""
    stems = [word[:_STEM] for word in _WORD.findall(text.lower().replace("'s", " is"))]
    pairs = [f"{one} {two}" for one, two in pairwise(["^", *stems])]
    return stems + pairs + ["<name>"] * len(_NAME.findall(text))
