"""Baselines of the embedded planner: three ways to name one card, or none, with MiniLM vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.planner.fitting.examples import Examples
from edgewright.agents.text import heads
from edgewright.agents.text.encoder import minilm
from edgewright.tools.cards import CardRegistry

#: A baseline's answer when no card serves a request.
NONE = ""
#: Number of nearest demonstrations that vote.
NEIGHBOURS = 5


class ZeroShot:
    """Names the card whose description is nearest to the request.

    Args:
        cards: The catalogue.
        threshold: Minimum cosine; below it no card is named. ``best_threshold`` chooses it.
    """

    def __init__(self, cards: CardRegistry, threshold: float) -> None:
        self._ids = [card.id for card in cards]
        self._vectors = minilm().vectors([card.description for card in cards])
        self._threshold = threshold

    def name(self, text: str) -> str:
        """Return the id of the card that serves a request, or ``NONE``."""
        cosines = self._vectors @ minilm().vectors([text])[0]
        best = int(cosines.argmax())
        return self._ids[best] if cosines[best] >= self._threshold else NONE

    def best_threshold(self, texts: Sequence[str], expected: Sequence[str]) -> float:
        """Return the threshold among 0.05, 0.1 … 0.5 with the most correct answers."""
        cosines = minilm().vectors(texts) @ self._vectors.T
        hits = [
            self._ids[row.argmax()] == card for row, card in zip(cosines, expected, strict=True)
        ]

        def count_correct(threshold: float) -> int:
            named = cosines.max(axis=1) >= threshold
            return sum(
                hit if one else card == NONE
                for one, hit, card in zip(named, hits, expected, strict=True)
            )

        return max((step / 20 for step in range(1, 11)), key=count_correct)


class Nearest:
    """Names the majority among the nearest demonstrations and phrases, weighted by cosine.

    Args:
        examples: Demonstrations of the cards, and phrases of tasks that no card serves.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        texts, self._label_of = _of_one_label(examples)
        self._vectors = minilm().vectors(texts)

    def name(self, text: str) -> str:
        """Return the id of the card that serves a request, or ``NONE``."""
        cosines = self._vectors @ minilm().vectors([text])[0]
        votes: dict[int, float] = defaultdict(float)
        for row in np.argsort(-cosines)[:NEIGHBOURS]:
            votes[self._label_of[row]] += float(cosines[row])
        return _card(self._examples, max(votes, key=lambda label: votes[label]))


class LinearProbe:
    """Names a card by a softmax over the sentence vector of the whole request.

    Args:
        examples: Demonstrations of the cards, and phrases of tasks that no card serves.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        texts, labels = _of_one_label(examples)
        truth = np.eye(len(examples.labels), dtype=np.float32)[labels]
        no_words = heads.Features(words={}, weights=np.zeros(0, np.float32))
        self._heads = heads.fit(no_words.design(texts, minilm().vectors(texts)), truth)

    def name(self, text: str) -> str:
        """Return the id of the card that serves a request, or ``NONE``."""
        probabilities = self._heads.probabilities(minilm().vectors([text]))[0]
        return _card(self._examples, int(probabilities.argmax()))


def _of_one_label(examples: Examples) -> tuple[list[str], list[int]]:
    """Return texts and labels of the examples with one label that does not refer back."""
    before = examples.labels.index(AS_BEFORE)
    single = [example for example in examples.requests if len(example.labels) == 1]
    single = [example for example in single if example.labels[0] != before]
    return [each.words.whole for each in single], [each.labels[0] for each in single]


def _card(examples: Examples, label: int) -> str:
    return examples.labels[label] if label < examples.tools else NONE
