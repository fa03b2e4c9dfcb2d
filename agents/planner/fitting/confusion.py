"""Finds the cards that a new card would be confused with, and the demonstrations at fault.

Each demonstration is left out once and classified by a model fitted to the others: a linear map
from the planner's sentence vectors to the cards, by least squares with equal weight for each card.
Its leave-one-out predictions have a closed form (the residual over one minus the leverage), so a
whole catalogue is checked with a single encoding of its demonstrations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.embedded.mentions import masked
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.vector_cache import VectorCache, encode_cached
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.settings import cache_folder

#: Ridge of the linear map, as a share of the weight of one card.
RIDGE = 0.02
#: Minimum number of demonstrations that a card needs to be distinguished from others.
ENOUGH = 5
#: A card passes if at least ``OWN_SHARE`` of its demonstrations are recognised as its own, and no
#: other card loses more than ``LOST_SHARE`` of its demonstrations to it.
OWN_SHARE = 0.8
LOST_SHARE = 0.2
#: Minimum cosine at which demonstrations of two cards count as equivalent.
SAME = 0.95


class Mistaken(BaseModel):
    """A demonstration that would be mistaken for another card's.

    Attributes:
        request: The request it demonstrates.
        card: The card it belongs to.
        taken_for: The card that it would be mistaken for.
        nearest: The most similar demonstration of that card.
        similarity: Cosine of the two, -1 to 1.
    """

    model_config = ConfigDict(frozen=True)

    request: str
    card: str
    taken_for: str
    nearest: str
    similarity: float


class Confusion(BaseModel):
    """How well a card is distinguished from the others.

    Attributes:
        card: Card id.
        passed: Whether it is distinguished well enough.
        demonstrations: Number of its demonstrations.
        lost: Its demonstrations that would be mistaken for other cards'.
        taken: Demonstrations of other cards that would be mistaken for its own.
        advice: How to fix it, in plain words.
    """

    model_config = ConfigDict(frozen=True)

    card: str
    passed: bool
    demonstrations: int
    lost: tuple[Mistaken, ...]
    taken: tuple[Mistaken, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True)
class _Shown:
    """The demonstrations of a catalogue.

    Attributes:
        requests: The requests they demonstrate.
        owners: Id of the card that each belongs to.
        vectors: Sentence vectors of unit length, float32 ``[N, 384]``.
    """

    requests: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Vectors


def check(card: ToolCard, cards: CardRegistry) -> Confusion:
    """Check a card against a catalogue.

    Args:
        card: The card; it replaces a card with the same id.
        cards: The catalogue.
    """
    others = [other for other in cards if other.id != card.id]
    shown = _collected([*others, card])
    mistakes = _mistakes(shown)
    lost = [each for each in mistakes if each.card == card.id]
    taken = [each for each in mistakes if each.taken_for == card.id]
    count = len(card.demonstrations)
    sizes = Counter(shown.owners)
    victims = Counter(each.card for each in taken)
    passed = (
        count >= ENOUGH
        and len(lost) <= (1 - OWN_SHARE) * count
        and all(times <= LOST_SHARE * sizes[victim] for victim, times in victims.items())
    )
    return Confusion(
        card=card.id,
        passed=passed,
        demonstrations=count,
        lost=tuple(lost),
        taken=tuple(taken),
        advice=tuple(_advice(card, lost, taken)),
    )


def _collected(cards: Sequence[ToolCard]) -> _Shown:
    pairs = [(shown.request, card.id) for card in cards for shown in card.demonstrations]
    # The planner's own examples: those of the catalogue are in its cache already.
    texts = [masked(request).strip() for request, _ in pairs]
    last, _ = np.hsplit(encode_cached(texts, VectorCache(cache_folder() / "planner")), 2)
    return _Shown(
        requests=tuple(request for request, _ in pairs),
        owners=tuple(owner for _, owner in pairs),
        vectors=last / np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-6),
    )


def _mistakes(shown: _Shown) -> list[Mistaken]:
    """Return the demonstrations that are mistaken for another card's when left out."""
    labels = sorted(set(shown.owners))
    if len(labels) < 2:
        return []
    truth = np.asarray([labels.index(owner) for owner in shown.owners])
    predicted = left_out_scores(shown.vectors, truth, len(labels)).argmax(axis=1)
    alike = shown.vectors @ shown.vectors.T
    mistakes: list[Mistaken] = []
    for row in np.flatnonzero(predicted != truth).tolist():
        alternatives = np.flatnonzero(truth == predicted[row])
        nearest = int(alternatives[alike[row, alternatives].argmax()])
        mistakes.append(
            Mistaken(
                request=shown.requests[row],
                card=shown.owners[row],
                taken_for=labels[predicted[row]],
                nearest=shown.requests[nearest],
                similarity=round(float(alike[row, nearest]), 3),
            )
        )
    return mistakes


def left_out_scores(vectors: Vectors, truth: NDArray[np.intp], count: int) -> Vectors:
    """Return the leave-one-out scores of each example for each label.

    The model is a weighted ridge regression on one-hot labels with a constant column. For an
    example with leverage h, the prediction without it is ``(f(x) - h y) / (1 - h)`` (Cook &
    Weisberg 1982, section 2.2).

    Args:
        vectors: float32 ``[N, D]``.
        truth: Label of each example, int ``[N]``.
        count: Number of labels.

    Returns:
        float32 ``[N, count]``.
    """
    x = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)]).astype(np.float64)
    y = np.eye(count)[truth]
    weights = 1 / np.bincount(truth, minlength=count)[truth]
    gram = (x * weights[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
    solved = np.linalg.solve(gram, x.T)
    fitted = x @ (solved @ (weights[:, None] * y))
    leverage = (weights * np.einsum("nd,dn->n", x, solved))[:, None]
    scores: Vectors = ((fitted - leverage * y) / (1 - leverage)).astype(np.float32)
    return scores


def _advice(card: ToolCard, lost: Sequence[Mistaken], taken: Sequence[Mistaken]) -> list[str]:
    """Return advice on how to fix the confusion, most important first."""
    advice: list[str] = []
    count = len(card.demonstrations)
    if count < ENOUGH:
        advice.append(
            f"Give it at least {ENOUGH} demonstrations, preferably 15, each worded differently; it "
            f"has {count}."
        )
    for other, times in Counter(each.taken_for for each in lost).most_common():
        example = next(each for each in lost if each.taken_for == other)
        advice.append(
            f"{times} of its {count} demonstrations read like {other!r}: reword "
            f"{example.request!r} to name what only this card does; {other!r} has the "
            f"demonstration {example.nearest!r}."
        )
    for victim, times in Counter(each.card for each in taken).most_common():
        example = next(each for each in taken if each.card == victim)
        advice.append(
            f"It would take {times} of the demonstrations of {victim!r}, such as "
            f"{example.request!r}: reword {example.nearest!r}, which is most similar to it."
        )
    if any(each.similarity >= SAME for each in (*lost, *taken)):
        advice.append(
            "Some demonstrations are nearly identical to another card's: if both cards do the "
            "same, remove one of them."
        )
    return advice
