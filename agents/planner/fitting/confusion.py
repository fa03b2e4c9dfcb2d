"""Which cards a new card would be confused with, and by which demonstrations.

Every demonstration is left out once and read by what the others teach: a linear map from the
planner's sentence vectors to the cards, fitted by least squares with each card weighing the same.
Its leave-one-out answers have a closed form (the residual over one minus the leverage), so that a
whole catalogue is checked with one encoding of its demonstrations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.embedded.mentions import masked
from edgewright.agents.text.encoder import Vectors, minilm
from edgewright.tools.cards import CardRegistry, ToolCard

#: Ridge of the linear map, as a share of the weight of one card.
RIDGE = 0.02
#: A card with fewer demonstrations cannot be told from others.
ENOUGH = 5
#: A card passes when so many of its own demonstrations are read as its own, and when no other card
#: loses more of its demonstrations to it.
OWN_SHARE = 0.8
LOST_SHARE = 0.2
#: Demonstrations of two cards are as good as the same from this cosine on.
SAME = 0.95


class Mistaken(BaseModel):
    """A demonstration that would be read as another card's.

    Attributes:
        request: Its words.
        card: The card it belongs to.
        taken_for: The card that it would be read as.
        nearest: The demonstration of that card that is most like it.
        similarity: Cosine of the two, -1 to 1.
    """

    model_config = ConfigDict(frozen=True)

    request: str
    card: str
    taken_for: str
    nearest: str
    similarity: float


class Confusion(BaseModel):
    """How well a card can be told from the others.

    Attributes:
        card: Its id.
        passed: Whether it can be told well enough.
        demonstrations: How many it has.
        lost: Its demonstrations that would be read as other cards'.
        taken: Other cards' demonstrations that would be read as its own.
        advice: What would mend it, in plain words.
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
        requests: Their words.
        owners: Card that each belongs to.
        vectors: Sentence vectors, unit length, float32 ``[N, 384]``.
    """

    requests: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Vectors


def check(card: ToolCard, cards: CardRegistry) -> Confusion:
    """Check a card against a catalogue.

    Args:
        card: The card; it takes the place of one with its id.
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
    return _Shown(
        requests=tuple(request for request, _ in pairs),
        owners=tuple(owner for _, owner in pairs),
        vectors=minilm().vectors([masked(request) for request, _ in pairs]),
    )


def _mistakes(shown: _Shown) -> list[Mistaken]:
    """Return the demonstrations that are read as another card's when they are left out."""
    labels = sorted(set(shown.owners))
    if len(labels) < 2:
        return []
    truth = np.asarray([labels.index(owner) for owner in shown.owners])
    said = left_out_scores(shown.vectors, truth, len(labels)).argmax(axis=1)
    alike = shown.vectors @ shown.vectors.T
    mistakes: list[Mistaken] = []
    for row in np.flatnonzero(said != truth).tolist():
        alternatives = np.flatnonzero(truth == said[row])
        nearest = int(alternatives[alike[row, alternatives].argmax()])
        mistakes.append(
            Mistaken(
                request=shown.requests[row],
                card=shown.owners[row],
                taken_for=labels[said[row]],
                nearest=shown.requests[nearest],
                similarity=round(float(alike[row, nearest]), 3),
            )
        )
    return mistakes


def left_out_scores(vectors: Vectors, truth: NDArray[np.intp], count: int) -> Vectors:
    """Return what each example scores for each label when it is left out of the fit.

    Weighted ridge regression on one-hot labels with a constant column; for example i with leverage
    h the left-out answer is ``(f(x) - h y) / (1 - h)`` (Cook & Weisberg 1982, section 2.2).

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
    """Say what would mend the confusion, the gravest first."""
    advice: list[str] = []
    count = len(card.demonstrations)
    if count < ENOUGH:
        advice.append(
            f"Give it at least {ENOUGH} demonstrations, better 15, each worded differently; it has "
            f"{count}."
        )
    for rival, times in Counter(each.taken_for for each in lost).most_common():
        example = next(each for each in lost if each.taken_for == rival)
        advice.append(
            f"{times} of its {count} demonstrations read like {rival!r}: say in {example.request!r}"
            f" what only this card does, for {rival!r} shows {example.nearest!r}."
        )
    for victim, times in Counter(each.card for each in taken).most_common():
        example = next(each for each in taken if each.card == victim)
        advice.append(
            f"It would take {times} of the demonstrations of {victim!r}, such as "
            f"{example.request!r}: reword {example.nearest!r}, which is most like it."
        )
    if any(each.similarity >= SAME for each in (*lost, *taken)):
        advice.append(
            "Some demonstrations are as good as the same as another card's: if both cards do the "
            "same, keep one of them."
        )
    return advice
