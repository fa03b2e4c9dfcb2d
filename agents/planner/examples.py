"""What the heads learn from: cards, demonstrations and the vocabulary of well-known tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, product

from edgewright.agents.planner.clauses import segment
from edgewright.agents.planner.mentions import masked
from edgewright.agents.planner.vocabulary import KnownTask, known_tasks
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.cards.demonstrations import PlanDemonstration

#: With this many demonstrations a card speaks for itself and the vocabulary is not asked.
ENOUGH_DEMONSTRATIONS = 5

#: Words that people put around any request. Every demonstration is learned with and without some,
#: in turn, so that they tell nothing of the card.
_CARRIERS = (
    "Hello! {}",
    "Can you help me? {}",
    "{} Thank you.",
    "I need your help. {}",
    "I would like to ask you something: {}",
    "Please help me with this. {}",
)
#: The same for cards that look at a picture.
_PICTURE_CARRIERS = (
    *_CARRIERS,
    "I have an image file. {}",
    "{} The picture is image file.",
    "Here is my photo image file. {}",
    "Please look at the image. {}",
    "{} Use the attached image.",
)
#: With how many other cards a card's demonstrations are joined, and by which words.
PARTNERS = 8
_JOINTS = ("{} and {}", "{}, then {}", "{}. Also, {}")

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
        texts = [*task.phrases, *(_carried(task.phrases, _CARRIERS) if task.everyday else ())]
        phrases.extend((text, label) for text in texts)
    return Examples(
        labels=(*ids, *(task.name for task in foreign)),
        tools=len(ids),
        phrases=tuple(phrases),
        bags=(
            *(
                (clause_texts(shown.request), tuple(sorted({ids.index(t) for t in shown.tools})))
                for shown in demonstrations
            ),
            *_joined(cards),
        ),
    )


def clause_texts(request: str) -> tuple[str, ...]:
    """Return a request's clauses as the encoder reads them."""
    return tuple(masked(clause.text).strip() for clause in segment(request))


def _own(card: ToolCard) -> list[str]:
    """What a card says of itself: demonstrations, and name and description as phrases."""
    name = card.title.lower().replace("-", " ")
    shown = [demonstration.request for demonstration in card.demonstrations]
    carriers = _PICTURE_CARRIERS if "image" in card.inputs else _CARRIERS
    return [
        *shown,
        *_carried(shown, carriers),
        name,
        f"perform {name}",
        f"use the {name} tool",
        *_SENTENCE.split(card.description.strip()),
    ]


def _carried(texts: Sequence[str], carriers: Sequence[str]) -> list[str]:
    """Put each text into the next of the carriers."""
    return [carrier.format(text) for carrier, text in zip(cycle(carriers), texts, strict=False)]


def _joined(cards: CardRegistry) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Join demonstrations of two cards each, so that wholes which ask for both are known."""
    shown = [[demonstration.request for demonstration in card.demonstrations] for card in cards]
    shown_rows = [row for row, texts in enumerate(shown) if texts]
    count = len(shown_rows)
    steps = range(1, min(count, PARTNERS + 1))
    for turn, (place, step, joint) in enumerate(product(range(count), steps, _JOINTS)):
        one, other = shown_rows[place], shown_rows[(place + step) % count]
        first, second = (shown[row][turn % len(shown[row])] for row in (one, other))
        joined = joint.format(first.rstrip(".?"), f"{second[:1].lower()}{second[1:]}")
        yield (masked(joined),), tuple(sorted((one, other)))


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
