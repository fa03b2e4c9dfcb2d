"""What the heads learn from: cards, demonstrations and the vocabulary of well-known tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.planner.clauses import segment
from edgewright.agents.planner.mentions import masked
from edgewright.agents.planner.vocabulary import KnownTask, known_tasks
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.cards.demonstrations import PlanDemonstration

#: With this many demonstrations a card speaks for itself and the vocabulary is not asked.
ENOUGH_DEMONSTRATIONS = 5

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Examples:
    """Everything to learn from.

    Attributes:
        labels: Card ids first, then the names of tasks that no card serves.
        tools: How many of the labels are cards.
        phrases: Clauses, each with the index of its label.
        bags: Clauses of each demonstrated request, with the indices of its tools.
    """

    labels: tuple[str, ...]
    tools: int
    phrases: tuple[tuple[str, int], ...]
    bags: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]


def collect(cards: CardRegistry, demonstrations: Sequence[PlanDemonstration] = ()) -> Examples:
    """Collect the examples of a catalogue.

    Args:
        cards: The catalogue.
        demonstrations: Whole requests with their tools.
    """
    ids = [card.id for card in cards]
    known = {task.name: task for task in known_tasks()}
    served = {_slug(name) for card in cards for name in (card.id, card.title, card.task_type)}
    foreign = [
        task for task in known.values() if task.name not in served and not served & set(task.near)
    ]
    phrases = [
        (masked(text), label)
        for label, card in enumerate(cards)
        for text in (*_own(card), *_borrowed(card, known))
    ]
    for label, task in enumerate(foreign, start=len(ids)):
        phrases.extend((text, label) for text in task.phrases)
    return Examples(
        labels=(*ids, *(task.name for task in foreign)),
        tools=len(ids),
        phrases=tuple(phrases),
        bags=tuple(
            (clause_texts(shown.request), tuple(sorted({ids.index(t) for t in shown.tools})))
            for shown in demonstrations
        ),
    )


def clause_texts(request: str) -> tuple[str, ...]:
    """Return a request's clauses as the encoder reads them."""
    return tuple(masked(clause.text).strip() for clause in segment(request))


def _own(card: ToolCard) -> list[str]:
    """What a card says of itself: demonstrations, and its name and description as phrases."""
    name = card.title.lower().replace("-", " ")
    return [
        *(shown.request for shown in card.demonstrations),
        name,
        f"perform {name}",
        f"use the {name} tool",
        *_SENTENCE.split(card.description.strip()),
    ]


def _borrowed(card: ToolCard, known: dict[str, KnownTask]) -> tuple[str, ...]:
    """Phrases of the well-known task that a card is, when it has too few of its own."""
    if len(card.demonstrations) >= ENOUGH_DEMONSTRATIONS:
        return ()
    for name in (card.id, card.title, card.task_type):
        if task := known.get(_slug(name)):
            return task.phrases
    return ()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
