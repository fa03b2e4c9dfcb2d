"""What the planner learns from: cards, demonstrations and the vocabulary of well-known tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, product

from edgewright.agents.planner.embedded.clauses import segment
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE, KnownTask, known_tasks
from edgewright.agents.planner.embedded.words import Words
from edgewright.tools.cards import CardRegistry, ToolCard

#: With this many demonstrations a card speaks for itself and the vocabulary is not asked.
ENOUGH_DEMONSTRATIONS = 5
#: Examples are dealt out to folds; how far each kind of evidence can be trusted is learned on the
#: folds that a fit has not seen.
FOLDS = 3

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
class Example:
    """A request of which it is known what it asks for.

    Attributes:
        words: What is said.
        labels: Indices of the cards, or of the one task that no card serves.
        fold: Fold it belongs to, the same for all that is made of one demonstration.
    """

    words: Words
    labels: tuple[int, ...]
    fold: int


@dataclass(frozen=True)
class Examples:
    """Everything to learn from.

    Attributes:
        labels: Card ids first, then ``AS_BEFORE``, then the names of tasks that no card serves.
        tools: How many of the labels lead to tasks: the cards, and ``AS_BEFORE``.
        requests: The examples.
    """

    labels: tuple[str, ...]
    tools: int
    requests: tuple[Example, ...]


def collect(cards: CardRegistry) -> Examples:
    """Collect the examples of a catalogue."""
    ids = [card.id for card in cards]
    known = {task.name: task for task in known_tasks()}
    before = known.pop(AS_BEFORE)
    served = {_slug(name) for card in cards for name in (card.id, card.title, card.task_type)}
    foreign = [
        task for task in known.values() if task.name not in served and not served & set(task.near)
    ]
    shown = [_shown(card) or _borrowed(card, known) for card in cards]
    requests: list[Example] = []
    for label, card in enumerate(cards):
        carriers = _PICTURE_CARRIERS if "image" in card.inputs else _CARRIERS
        about = (*_borrowed(card, known), *_about(card))
        for texts in (_shown(card), _carried(_shown(card), carriers), about):
            requests.extend(_dealt(texts, label))
    for label, task in enumerate((before, *foreign), start=len(ids)):
        requests.extend(_dealt(task.phrases, label))
    for number, several in enumerate(cards.demonstrations):
        labels = {ids.index(tool) for tool in several.tools}
        requests.append(_example(several.request, labels, number % FOLDS))
    return Examples(
        labels=(*ids, before.name, *(task.name for task in foreign)),
        tools=len(ids) + 1,
        requests=(*requests, *_joined(shown)),
    )


def _dealt(texts: Sequence[str], label: int) -> Iterator[Example]:
    """Make examples of texts and deal them out to the folds."""
    return (_example(text, {label}, row % FOLDS) for row, text in enumerate(texts))


def _example(text: str, labels: set[int], fold: int) -> Example:
    return Example(Words.of(text, segment(text)), tuple(sorted(labels)), fold)


def _shown(card: ToolCard) -> tuple[str, ...]:
    return tuple(demonstration.request for demonstration in card.demonstrations)


def _about(card: ToolCard) -> tuple[str, ...]:
    """What a card says of itself: its name and description as phrases."""
    name = card.title.lower().replace("-", " ")
    sentences = _SENTENCE.split(card.description.strip())
    return (name, f"perform {name}", f"use the {name} tool", *sentences)


def _carried(texts: Sequence[str], carriers: Sequence[str]) -> list[str]:
    """Put each text into the next of the carriers."""
    return [carrier.format(text) for carrier, text in zip(cycle(carriers), texts, strict=False)]


def _joined(shown: Sequence[Sequence[str]]) -> Iterator[Example]:
    """Join requests for two cards each, so that wholes which ask for both are known.

    Args:
        shown: What is shown of each card, by label.
    """
    places = [label for label, texts in enumerate(shown) if texts]
    steps = range(1, min(len(places), PARTNERS + 1))
    for turn, (place, step, joint) in enumerate(product(range(len(places)), steps, _JOINTS)):
        one, other = places[place], places[(place + step) % len(places)]
        fold = turn % FOLDS
        # Both are of one fold, and so is what they make.
        first, second = (shown[label][fold::FOLDS] for label in (one, other))
        if not first or not second:
            continue
        begin, end = (texts[turn // FOLDS % len(texts)] for texts in (first, second))
        text = joint.format(begin.rstrip(".?"), f"{end[:1].lower()}{end[1:]}")
        yield _example(text, {one, other}, fold)


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
