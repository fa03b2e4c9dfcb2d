"""What the embedded planner is compared with: three ways to name one card, or none, by MiniLM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.planner.fitting.examples import Examples
from edgewright.agents.text import heads
from edgewright.agents.text.encoder import minilm
from edgewright.tools.cards import CardRegistry

#: What a rival answers when it thinks that no card serves a request.
NONE = ""
#: How many nearest demonstrations vote.
NEIGHBOURS = 5


class ZeroShot:
    """The card whose description is nearest: the kind of baseline the seed system compares with.

    Args:
        cards: The catalogue.
        threshold: Cosine under which no card is taken; ``best_threshold`` chooses it.
    """

    def __init__(self, cards: CardRegistry, threshold: float) -> None:
        self._ids = [card.id for card in cards]
        self._vectors = minilm().vectors([card.description for card in cards])
        self._threshold = threshold

    def name(self, text: str) -> str:
        """Name the card that a request asks for."""
        cosines = self._vectors @ minilm().vectors([text])[0]
        best = int(cosines.argmax())
        return self._ids[best] if cosines[best] >= self._threshold else NONE

    def best_threshold(self, texts: Sequence[str], wanted: Sequence[str]) -> float:
        """Return which of 0.05, 0.1 … 0.5 names the most requests as wanted."""
        cosines = minilm().vectors(texts) @ self._vectors.T
        hits = [self._ids[row.argmax()] == card for row, card in zip(cosines, wanted, strict=True)]

        def right(threshold: float) -> int:
            taken = cosines.max(axis=1) >= threshold
            return sum(
                hit if one else card == NONE
                for one, hit, card in zip(taken, hits, wanted, strict=True)
            )

        return max((step / 20 for step in range(1, 11)), key=right)


class Nearest:
    """The majority among the nearest demonstrations and phrases, each vote weighed by its cosine.

    Args:
        examples: Demonstrations of the cards, and phrases of tasks that no card serves.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        texts, self._label_of = _of_one_label(examples)
        self._vectors = minilm().vectors(texts)

    def name(self, text: str) -> str:
        """Name the card that a request asks for."""
        cosines = self._vectors @ minilm().vectors([text])[0]
        votes: dict[int, float] = defaultdict(float)
        for row in np.argsort(-cosines)[:NEIGHBOURS]:
            votes[self._label_of[row]] += float(cosines[row])
        return _card(self._examples, max(votes, key=lambda label: votes[label]))


class LinearProbe:
    """A softmax over the sentence vector of the whole request.

    Args:
        examples: Demonstrations of the cards, and phrases of tasks that no card serves.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        texts, labels = _of_one_label(examples)
        truth = np.eye(len(examples.labels), dtype=np.float32)[labels]
        self._heads = heads.fit(minilm().vectors(texts), truth)

    def name(self, text: str) -> str:
        """Name the card that a request asks for."""
        shares = self._heads.probabilities(minilm().vectors([text]))[0]
        return _card(self._examples, int(shares.argmax()))


def _of_one_label(examples: Examples) -> tuple[list[str], list[int]]:
    """Return the examples that ask for one thing that words alone can tell, and their labels."""
    before = examples.labels.index(AS_BEFORE)
    single = [example for example in examples.requests if len(example.labels) == 1]
    single = [example for example in single if example.labels[0] != before]
    return [each.words.whole for each in single], [each.labels[0] for each in single]


def _card(examples: Examples, label: int) -> str:
    return examples.labels[label] if label < examples.tools else NONE
