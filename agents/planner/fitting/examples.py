"""Training examples from cards, demonstrations and the vocabulary of well-known tasks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, product

from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE, KnownTask, known_tasks
from edgewright.agents.planner.embedded.words import Words
from edgewright.tools.cards import CardRegistry, ToolCard

#: With this many demonstrations, a card does not borrow phrases from the vocabulary.
ENOUGH_DEMONSTRATIONS = 5
#: Number of cross-validation folds: the judge is fitted on examples that the heads have not seen.
FOLDS = 3

#: Words that people put around any request. Each demonstration is learned with and without some of
#: them, in turn, so that they do not become evidence for a card.
_CARRIERS = (
    "Hello! {}",
    "Can you help me? {}",
    "{} Thank you.",
    "I need your help. {}",
    "I would like to ask you something: {}",
    "Please help me with this. {}",
)
#: The same for cards that take an image.
_PICTURE_CARRIERS = (
    *_CARRIERS,
    "I have an image file. {}",
    "{} The picture is image file.",
    "Here is my photo image file. {}",
    "Please look at the image. {}",
    "{} Use the attached image.",
)
#: Number of cards beyond which a catalogue is large, and the approximate number of examples of each
#: of these two kinds that it then gets: what they teach is no card's own.
LARGE = 64
SHARED = 600
#: Number of other cards whose demonstrations a card's are joined with, and the joining words.
PARTNERS = 8
_JOINTS = ("{} and {}", "{}, then {}", "{}. Also, {}")

_MARKS = 2**32
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Example:
    """A labelled request.

    Attributes:
        words: The request.
        labels: Indices of the cards, or of the one task that no card serves.
        fold: Its fold; the same for all examples made from one demonstration.
    """

    words: Words
    labels: tuple[int, ...]
    fold: int


@dataclass(frozen=True)
class Examples:
    """The training examples of a catalogue.

    Attributes:
        labels: Card ids first, then ``AS_BEFORE``, then the names of tasks that no card serves.
        tools: Number of labels that lead to tasks: the cards, and ``AS_BEFORE``.
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
    unserved = [
        task for task in known.values() if task.name not in served and not served & set(task.near)
    ]
    shown = [_shown(card) or _borrowed(card, known) for card in cards]
    requests: list[Example] = []
    few = _few(ids) if len(ids) > LARGE else None
    for label, card in enumerate(cards):
        carriers = _PICTURE_CARRIERS if "image" in card.inputs else _CARRIERS
        about = (*_borrowed(card, known), *_about(card, brief=few is not None))
        carried = _carried(_shown(card), carriers)[: few[label] if few else None]
        for texts in (_shown(card), carried, about):
            requests.extend(_folded(texts, label))
    for label, task in enumerate((before, *unserved), start=len(ids)):
        requests.extend(_folded(task.phrases, label))
    for number, several in enumerate(cards.demonstrations):
        labels = {ids.index(tool) for tool in several.tools}
        requests.append(_example(several.request, labels, number % FOLDS))
    return Examples(
        labels=(*ids, before.name, *(task.name for task in unserved)),
        tools=len(ids) + 1,
        requests=(*requests, *(_joined_few(shown, ids, few) if few else _joined(shown))),
    )


def _folded(texts: Sequence[str], label: int) -> Iterator[Example]:
    """Yield texts as examples, assigned to the folds in turn."""
    return (_example(text, {label}, row % FOLDS) for row, text in enumerate(texts))


def _example(text: str, labels: set[int], fold: int) -> Example:
    return Example(Words.of(text, segment(text)), tuple(sorted(labels)), fold)


def _shown(card: ToolCard) -> tuple[str, ...]:
    return tuple(demonstration.request for demonstration in card.demonstrations)


def _about(card: ToolCard, *, brief: bool) -> tuple[str, ...]:
    """Return a card's title and description as phrases; ``brief`` names the title once."""
    name = card.title.lower().replace("-", " ")
    phrases = () if brief else (f"perform {name}", f"use the {name} tool")
    return (name, *phrases, *_SENTENCE.split(card.description.strip()))


def _carried(texts: Sequence[str], carriers: Sequence[str]) -> list[str]:
    """Return each text inside the next of the carriers."""
    return [carrier.format(text) for carrier, text in zip(cycle(carriers), texts, strict=False)]


def _joined(shown: Sequence[Sequence[str]]) -> Iterator[Example]:
    """Yield pairs of demonstrations of different cards, joined into one request for both.

    Args:
        shown: Demonstrations of each card, by label.
    """
    labels = [label for label, texts in enumerate(shown) if texts]
    steps = range(1, min(len(labels), PARTNERS + 1))
    for turn, (index, step, joint) in enumerate(product(range(len(labels)), steps, _JOINTS)):
        one, other = labels[index], labels[(index + step) % len(labels)]
        yield from _pair(one, other, joint, turn, shown)


def _joined_few(
    shown: Sequence[Sequence[str]], ids: Sequence[str], few: Sequence[int]
) -> Iterator[Example]:
    """Yield a sample of such pairs; a further card changes only those with its neighbours.

    Args:
        shown: Demonstrations of each card, by label.
        ids: Ids of the cards.
        few: Number of pairs that begin with each card.
    """
    labels = [label for label, texts in enumerate(shown) if texts]
    ring = sorted(labels, key=lambda label: _mark(ids[label]))
    for place, one in enumerate(ring):
        for turn in range(_mark(ids[one]), _mark(ids[one]) + few[one]):
            other = ring[(place + 1 + turn % PARTNERS) % len(ring)]
            yield from _pair(one, other, _JOINTS[turn // FOLDS % len(_JOINTS)], turn, shown)


def _pair(
    one: int, other: int, joint: str, turn: int, shown: Sequence[Sequence[str]]
) -> Iterator[Example]:
    """Yield a demonstration of each of two cards as one request, if both have one in the fold."""
    fold = turn % FOLDS
    # Both come from one fold, which becomes the fold of the joined request.
    first, second = (shown[label][fold::FOLDS] for label in (one, other))
    if first and second:
        begin, end = (texts[turn // FOLDS % len(texts)] for texts in (first, second))
        text = joint.format(begin.rstrip(".?"), f"{end[:1].lower()}{end[1:]}")
        yield _example(text, {one, other}, fold)


def _few(ids: Sequence[str]) -> list[int]:
    """Return each card's number of ``SHARED`` examples, nearly the same in similar catalogues."""
    return [int(SHARED / len(ids) + _mark(name) / _MARKS) for name in ids]


def _mark(name: str) -> int:
    """Return a fixed pseudo-random number below ``_MARKS``."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def _borrowed(card: ToolCard, known: dict[str, KnownTask]) -> tuple[str, ...]:
    """Return the phrases of a card's well-known task, if it has too few demonstrations."""
    if len(card.demonstrations) >= ENOUGH_DEMONSTRATIONS:
        return ()
    for name in (card.id, card.title, card.task_type):
        if task := known.get(_slug(name)):
            return task.phrases
    return ()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
