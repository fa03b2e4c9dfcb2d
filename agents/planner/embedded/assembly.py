"""Wishes put together to a graph: what feeds what, by kinds of data and the order of the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise, permutations

from edgewright.agents.planner.embedded.arguments import ArgumentReader, file_for
from edgewright.agents.planner.embedded.detection import Intent
from edgewright.agents.planner.embedded.mentions import quotations
from edgewright.agents.planner.plan import Task
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.contracts.cards import ArgumentSpec, DataType

#: Kinds of data that a person can hand over; all others come out of a task or a sensor.
GIVEN: frozenset[DataType] = frozenset({"text", "image", "audio", "video", "dataset"})
#: Another sensor's card for the same thing is taken too when it is this likely.
ALIKE = 0.12
#: Cards are about the same thing when their descriptions share this much of their words.
SAME_SUBJECT = 0.3

_QUESTION = re.compile(
    r"\b(?:what|which|who|whose|where|when|why|how|whether|if|is|are|does|do|count)\b|\?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}")
#: Stems that name a kind of data, not what made it.
_KINDS = frozenset({"image", "pictu", "photo", "audio", "video", "text", "sound", "speec", "visua"})


@dataclass
class Step:
    """A task in the making.

    Attributes:
        card: What carries it out.
        intent: The words that asked for it.
        args: Arguments that are known; a picture is still open.
        parents: Positions of the steps that feed it.
        pictured: Names of the arguments that take the picture at hand.
    """

    card: ToolCard
    intent: Intent
    args: dict[str, str] = field(default_factory=dict)
    parents: set[int] = field(default_factory=set)
    pictured: set[str] = field(default_factory=set)


class Assembler:
    """Builds task graphs over one catalogue.

    Args:
        cards: The catalogue.
    """

    def __init__(self, cards: CardRegistry) -> None:
        self._cards = cards
        self._readers = {card.id: ArgumentReader(card) for card in cards}
        self._words = {
            card.id: set(_WORD.findall(f"{card.title} {card.description}".lower()))
            for card in cards
        }

    def assemble(
        self, text: str, intents: Sequence[Intent], pictures: Sequence[str], sensors: Sequence[str]
    ) -> tuple[tuple[Task, ...], tuple[str, ...]]:
        """Return the tasks, parents first, and the names of the inputs that are missing.

        Args:
            text: The request.
            intents: What it asks for, in the order of its words.
            pictures: Names of the pictures it is about; each gets the tasks that look at one.
            sensors: Kinds of sensor at hand; none means not known.
        """
        wanted = self._fused(self._observed(self._merged(text, intents), sensors))
        steps: list[Step] = []
        needs: set[str] = set()
        for intent in wanted:
            if any(step.card.id == intent.tool and step.intent.end == intent.end for step in steps):
                continue  # put in front of a card that the same words ask for
            self._supply(intent, steps)
            steps.append(Step(card=self._cards.get(intent.tool), intent=intent))
        for position in range(len(steps)):
            needs |= self._connect(text, steps, position)
        if any(step.pictured for step in steps) and not pictures:
            needs.add("image")
        return _tasks(text, steps, pictures), tuple(sorted(needs))

    def _merged(self, text: str, intents: Sequence[Intent]) -> list[Intent]:
        """Join wishes for one card, unless each is a question of its own."""

        def weight(intent: Intent) -> tuple[bool, float]:
            return self._is_question(text, intent), _share(intent)

        merged: list[Intent] = []
        for intent in intents:
            kept = next((other for other in reversed(merged) if other.tool == intent.tool), None)
            if kept is None or all(self._is_question(text, each) for each in (kept, intent)):
                merged.append(intent)
            elif weight(intent) > weight(kept):
                merged.remove(kept)
                merged.append(intent)
        return self._ordered(merged)

    def _ordered(self, intents: Sequence[Intent]) -> list[Intent]:
        """Order cards that the same words ask for so that as many as can feed the next."""
        ordered: list[Intent] = []
        for _, group in groupby(intents, key=lambda intent: intent.end):
            before = [self._cards.get(intent.tool) for intent in ordered[-1:]]
            ordered += max(
                permutations(group),
                key=lambda turn: _fits([*before, *(self._cards.get(w.tool) for w in turn)]),
            )
        return ordered

    def _is_question(self, text: str, intent: Intent) -> bool:
        """Whether a wish for an answer is a question of its own."""
        takes = "question" in self._cards.get(intent.tool).arguments
        asks = _QUESTION.search(text[intent.start : intent.end])
        return takes and bool(asks)

    def _observed(self, intents: Sequence[Intent], sensors: Sequence[str]) -> list[Intent]:
        """Add the cards that tell the same thing by another sensor, if the words leave it open.

        Words that name a sensor make its card far likelier than the others; words that name none,
        or all, leave several of them possible. Cards whose sensors are known to be absent go.
        """
        chosen: list[Intent] = []
        for intent in intents:
            alternatives = [
                replace(intent, tool=card.id)
                for card in self._cards
                if card.id != intent.tool
                and intent.shares.get(card.id, 0) >= ALIKE
                and card.id not in {other.tool for other in intents}
                and self._same_subject(intent.tool, card.id)
            ]
            chosen += [intent, *alternatives]
        present = [intent for intent in chosen if self._has_sensor(intent.tool, sensors)]
        return [
            intent
            for intent in chosen
            if intent in present
            or not any(self._same_subject(intent.tool, w.tool) for w in present)
        ]

    def _has_sensor(self, tool: str, sensors: Sequence[str]) -> bool:
        own = self._cards.get(tool).sensors
        return not own or not sensors or bool(set(own) & set(sensors))

    def _same_subject(self, one: str, other: str) -> bool:
        """Whether two cards estimate the same thing with different sensors."""
        first, second = self._cards.get(one), self._cards.get(other)
        if not first.sensors or not second.sensors or set(first.sensors) & set(second.sensors):
            return False
        mine, theirs = self._words[one], self._words[other]
        shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
        return first.outputs == second.outputs and shared >= SAME_SUBJECT

    def _fused(self, intents: list[Intent]) -> list[Intent]:
        """Put a card that joins several estimates behind estimates of the same thing."""
        for last in reversed(intents):
            alike = any(self._same_subject(last.tool, intent.tool) for intent in intents)
            kind = self._cards.get(last.tool).outputs
            fusion = next((card.id for card in self._cards if card.inputs == kind * 2), None)
            if alike and fusion is not None:
                others = [intent for intent in intents if intent.tool != fusion]
                behind = others.index(last) + 1
                return [*others[:behind], replace(last, tool=fusion), *others[behind:]]
        return intents

    def _supply(self, intent: Intent, steps: list[Step]) -> None:
        """Put in front of a wish the cards that make what it needs and nobody can hand over."""
        for spec in self._cards.get(intent.tool).arguments.values():
            if not spec.required or spec.type in GIVEN:
                continue
            if any(spec.type in step.card.outputs for step in steps):
                continue
            makers = [
                card
                for card in self._cards
                if spec.type in card.outputs and GIVEN.issuperset(card.inputs) and card.inputs
            ]
            if spec.type == "label" or not makers:
                continue
            maker = max(makers, key=lambda card: intent.shares.get(card.id, 0.0))
            steps.append(Step(card=maker, intent=replace(intent, tool=maker.id)))

    def _connect(self, text: str, steps: list[Step], position: int) -> set[str]:
        """Fill a step's arguments from words, earlier steps and pictures; return what lacks."""
        step = steps[position]
        clause = text[step.intent.start : step.intent.end]
        quoted = quotations(clause)
        needs: set[str] = set()
        for name, spec in step.card.arguments.items():
            if self._said(step.card, name, spec):
                step.args[name] = self._words_for(step.card, name, spec, clause, text)
            elif spec.type == "text" and quoted:
                step.args[name] = quoted.pop(0)
        _feed(text, steps, position)
        for name, spec in step.card.arguments.items():
            if name in step.args:
                continue
            if spec.type == "image":
                step.pictured.add(name)
            if named := file_for(spec.type, clause, text):
                step.args[name] = named
            elif spec.type == "text":
                step.args[name] = self._words_for(step.card, name, spec, clause, text)
            elif spec.required and spec.type != "image":
                needs.add(name)
        return needs

    def _said(self, card: ToolCard, name: str, spec: ArgumentSpec) -> bool:
        """Whether an argument is what the person says, as the card's demonstrations show."""
        return spec.type == "text" and any(name in shown.args for shown in card.demonstrations)

    def _words_for(
        self, card: ToolCard, name: str, spec: ArgumentSpec, clause: str, text: str
    ) -> str:
        return self._readers[card.id].read(name, clause, text)[: spec.max_length]


def _share(intent: Intent) -> float:
    """How likely its words alone ask for a wish's card."""
    return intent.shares.get(intent.tool, intent.probability)


def _fits(cards: Sequence[ToolCard]) -> int:
    """Count the neighbours of which the first makes what the second takes."""
    return sum(bool(set(one.outputs) & set(other.inputs)) for one, other in pairwise(cards))


def _feed(text: str, steps: list[Step], position: int) -> None:
    """Fill the open arguments of a step with outputs of earlier ones.

    Of the kinds that a person can hand over one output is enough, for a second picture or text is
    taken to be the person's own: an output that the step's words speak of ("the summary"), else the
    latest. Of all other kinds each argument needs an output of its own.
    """
    step = steps[position]
    spoken = _stems(text[step.intent.start : step.intent.end]) - _stems(step.card.title)
    makers = [n for n in range(position) if steps[n].card.id != step.card.id]
    makers.sort(key=lambda n: (bool(spoken & _stems(steps[n].card.title)), n), reverse=True)
    open_names = [name for name in step.card.arguments if name not in step.args]
    handed = [
        (name, maker)
        for maker in makers
        for name in open_names
        if step.card.arguments[name].type in GIVEN.intersection(steps[maker].card.outputs)
    ]
    for name, maker in handed[:1]:
        step.args[name] = f"<{maker}>"
        step.parents.add(maker)
    for kind in {step.card.arguments[name].type for name in open_names} - GIVEN:
        names = [name for name in open_names if step.card.arguments[name].type == kind]
        sources = sorted(n for n in makers if kind in steps[n].card.outputs)[-len(names) :]
        for name, maker in zip(names, sources, strict=False):
            step.args[name] = f"<{maker}>"
            step.parents.add(maker)


def _stems(text: str) -> set[str]:
    """Return what the telling words of a text begin with."""
    return {word[:5] for word in _WORD.findall(text.lower())} - _KINDS


def _tasks(text: str, steps: list[Step], pictures: Sequence[str]) -> tuple[Task, ...]:
    """Name the steps, once for each picture if they look at one or at what came of it."""
    looking: set[int] = set()
    for position, step in enumerate(steps):
        if step.pictured or step.parents & looking:
            looking.add(position)
    tasks: list[Task] = []
    shared: dict[int, str] = {}
    for picture in pictures or ("",):
        names = dict(shared)
        for position, step in enumerate(steps):
            if position in names:
                continue
            names[position] = f"t{len(tasks) + 1}"
            if position not in looking:
                shared[position] = names[position]
            args = {
                name: f"<{names[int(value[1:-1])]}>" if _is_reference(value, step) else value
                for name, value in step.args.items()
            }
            if picture:
                args |= dict.fromkeys(step.pictured, picture)
            tasks.append(
                Task(
                    id=names[position],
                    tool=step.card.id,
                    task_type=step.card.task_type,
                    args={name: args[name] for name in step.card.arguments if name in args},
                    depends_on=tuple(names[parent] for parent in sorted(step.parents)),
                    span=text[step.intent.start : step.intent.end].strip(),
                    confidence=round(step.intent.probability, 4),
                )
            )
    return tuple(tasks)


def _is_reference(value: str, step: Step) -> bool:
    return value[:1] == "<" and value[1:-1].isdecimal() and int(value[1:-1]) in step.parents
