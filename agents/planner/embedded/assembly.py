"""Assembles intents into a task graph, by kinds of data and the order of the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise, permutations

from edgewright.agents.planner.embedded.arguments import ArgumentReader, file_for
from edgewright.agents.planner.embedded.composition import Composer, Scope, question_card
from edgewright.agents.planner.embedded.detection import Intent
from edgewright.agents.planner.embedded.grammar.sensors import SensorWords, sensor_words
from edgewright.agents.planner.embedded.grammar.sentences import without_remarks
from edgewright.agents.planner.embedded.mentions import quotations
from edgewright.agents.planner.embedded.steps import Step
from edgewright.agents.planner.plan import Task
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.contracts.cards import ArgumentSpec, DataType

#: Kinds of data that a person can provide; all others come from a task or a sensor.
GIVEN: frozenset[DataType] = frozenset({"text", "image", "audio", "video", "dataset"})
#: A card that measures the same with another sensor is added if it is at least this likely.
ALIKE = 0.12
#: Minimum share of common words at which two descriptions are about the same quantity.
SAME_SUBJECT = 0.3

#: "Is" asks at the beginning of a clause; later in it, it may also state something.
_QUESTION = re.compile(
    r"\b(?:what|which|who|whose|where|when|why|how|whether|if|count)\b|\?"
    r"|^\W*(?:(?:and|or|but|so|also|then|please)\s+)*(?:is|are|was|were|does|do|did|has|have)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}")
#: Stems that name a kind of data rather than its source.
_KINDS = frozenset({"image", "pictu", "photo", "audio", "video", "text", "sound", "speec", "visua"})


class Assembler:
    """Builds task graphs from the cards of a catalogue.

    Args:
        cards: The catalogue.

    Attributes:
        asking: The card that answers questions about an image, which conditions need, if any.
    """

    def __init__(self, cards: CardRegistry) -> None:
        self._cards = cards
        self.asking = question_card(list(cards))
        self._readers = {card.id: ArgumentReader(card) for card in cards}
        self._words = {
            card.id: set(_WORD.findall(f"{card.title} {card.description}".lower()))
            for card in cards
        }

    def assemble(
        self, text: str, intents: Sequence[Intent], scopes: Sequence[Scope], sensors: Sequence[str]
    ) -> tuple[tuple[Task, ...], tuple[str, ...]]:
        """Return the tasks, parents first, and the names of the inputs that are missing.

        Args:
            text: The request; the texts of its units one after another.
            intents: Its intents, in the order of its words.
            scopes: What each unit is about.
            sensors: Available kinds of sensor; empty means unknown.
        """
        merged = self._merged(text, intents, scopes)
        adjusted = self._fused(self._with_alternatives(merged, sensors, sensor_words(text)))
        steps: list[Step] = []
        needs: set[str] = set()
        for intent in adjusted:
            if any(
                step.card.id == intent.tool
                and scopes[step.intent.unit] == scopes[intent.unit]
                and (step.produces or _same_words(intent, step.intent))
                for step in steps
            ):
                continue  # already there, such as the pose that a drawing needs
            self._add_producers(intent, steps)
            card = self._cards.get(intent.tool)
            asked = {"question": intent.question} if "question" in card.arguments else {}
            steps.append(Step(card, intent, args=asked if intent.question else {}))
        for position in range(len(steps)):
            needs |= self._connect(text, steps, position)
        lacking = any(scope.guard and not (scope.checked or scope.images) for scope in scopes)
        if lacking or any(
            step.image_args and not scopes[step.intent.unit].images for step in steps
        ):
            needs.add("image")
        tasks = Composer(text, steps, scopes, self.asking).compose()
        return tasks, tuple(sorted(needs))

    def _merged(
        self, text: str, intents: Sequence[Intent], scopes: Sequence[Scope]
    ) -> list[Intent]:
        """Merge intents for the same card and images, unless each is a separate question."""

        def weight(intent: Intent) -> tuple[bool, float]:
            return self._is_question(text, intent), _share(intent)

        merged: list[Intent] = []
        for intent in intents:
            earlier = next(
                (
                    other
                    for other in reversed(merged)
                    if other.tool == intent.tool and scopes[other.unit] == scopes[intent.unit]
                ),
                None,
            )
            if earlier is None or all(self._is_question(text, each) for each in (earlier, intent)):
                merged.append(intent)
            elif weight(intent) > weight(earlier):
                merged.remove(earlier)
                merged.append(intent)
        return self._ordered(sorted(merged, key=lambda intent: intent.unit))

    def _ordered(self, intents: Sequence[Intent]) -> list[Intent]:
        """Order cards requested by the same words so that most of them can feed the next."""
        ordered: list[Intent] = []
        for _, group in groupby(intents, key=lambda intent: (intent.end, intent.question)):
            before = [self._cards.get(intent.tool) for intent in ordered[-1:]]
            ordered += max(
                permutations(group),
                key=lambda turn: _fits([*before, *(self._cards.get(w.tool) for w in turn)]),
            )
        return ordered

    def _is_question(self, text: str, intent: Intent) -> bool:
        """Return whether an intent is a question, for a card that answers questions."""
        takes = "question" in self._cards.get(intent.tool).arguments
        asks = intent.question or _QUESTION.search(text[intent.start : intent.end])
        return takes and bool(asks)

    def _with_alternatives(
        self, intents: Sequence[Intent], sensors: Sequence[str], said: SensorWords
    ) -> list[Intent]:
        """Add cards that measure the same with another sensor, if the words leave the sensor open.

        Sensors that the words name are the ones to use. Otherwise words about one sensor make its
        card far likelier than the others, and words about none or all of them leave several cards
        likely. A card whose sensors are missing is dropped if another card measures the same.
        """
        chosen: list[Intent] = []
        for intent in intents:
            alternatives = [
                replace(intent, tool=card.id)
                for card in self._cards
                if card.id not in {other.tool for other in intents}
                and self._same_subject(intent.tool, card.id)
                and (set(card.sensors) & said.named or intent.shares.get(card.id, 0) >= ALIKE)
            ]
            chosen += [intent, *alternatives]
        present = [
            intent
            for intent in chosen
            if self._has_sensor(intent.tool, sensors) and self._is_meant(intent.tool, said)
        ]
        return [
            intent
            for intent in chosen
            if intent in present
            or not any(self._same_subject(intent.tool, w.tool) for w in present)
        ]

    def _has_sensor(self, tool: str, sensors: Sequence[str]) -> bool:
        own = self._cards.get(tool).sensors
        return not own or not sensors or bool(set(own) & set(sensors))

    def _is_meant(self, tool: str, said: SensorWords) -> bool:
        """Return whether the words are about a card's sensor, or about none for the same."""
        own = set(self._cards.get(tool).sensors)
        others = (set(card.sensors) for card in self._cards if self._same_subject(tool, card.id))
        return not said.named & own.union(*others) or bool(said.hinted & own)

    def _same_subject(self, one: str, other: str) -> bool:
        """Return whether two cards measure the same quantity with different sensors."""
        first, second = self._cards.get(one), self._cards.get(other)
        if not first.sensors or not second.sensors or set(first.sensors) & set(second.sensors):
            return False
        mine, theirs = self._words[one], self._words[other]
        shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
        return first.outputs == second.outputs and shared >= SAME_SUBJECT

    def _fused(self, intents: list[Intent]) -> list[Intent]:
        """Add a card that fuses two measurements after measurements of the same quantity."""
        for last in reversed(intents):
            alike = any(self._same_subject(last.tool, intent.tool) for intent in intents)
            kind = self._cards.get(last.tool).outputs
            fusion = next((card.id for card in self._cards if card.inputs == kind * 2), None)
            if alike and fusion is not None:
                others = [intent for intent in intents if intent.tool != fusion]
                after = others.index(last) + 1
                return [*others[:after], replace(last, tool=fusion), *others[after:]]
        return intents

    def _add_producers(self, intent: Intent, steps: list[Step]) -> None:
        """Add steps that produce the required inputs of a card that a person cannot provide."""
        for spec in self._cards.get(intent.tool).arguments.values():
            if not spec.required or spec.type in GIVEN:
                continue
            if any(spec.type in step.card.outputs for step in steps):
                continue
            producers = [
                card
                for card in self._cards
                if spec.type in card.outputs and GIVEN.issuperset(card.inputs) and card.inputs
            ]
            if spec.type == "label" or not producers:
                continue
            producer = max(producers, key=lambda card: intent.shares.get(card.id, 0.0))
            steps.append(Step(producer, replace(intent, tool=producer.id), produces=True))

    def _connect(self, text: str, steps: list[Step], position: int) -> set[str]:
        """Fill a step's arguments from words, earlier steps and images; return what is missing."""
        step = steps[position]
        clause = text[step.intent.start : step.intent.end]
        quoted = quotations(clause)
        needs: set[str] = set()
        for name in [name for name in step.card.arguments if name not in step.args]:
            spec = step.card.arguments[name]
            if self._is_worded(step.card, name, spec):
                words = self._words_for(step.card, name, spec, clause, text)
                if words or spec.required:
                    step.args[name] = words
            elif spec.type == "text" and quoted:
                step.args[name] = quoted.pop(0)
        # What the words could have named but did not is left out, not taken from another task.
        open_names = [
            name
            for name, spec in step.card.arguments.items()
            if name not in step.args and not self._is_worded(step.card, name, spec)
        ]
        _feed(text, steps, position, open_names)
        open_names = [name for name in open_names if name not in step.args]
        for name in open_names:
            spec = step.card.arguments[name]
            if spec.type == "image":
                step.image_args.add(name)
            if named := file_for(spec.type, clause, text):
                step.args[name] = named
            elif spec.type == "text" and spec.required:
                step.args[name] = self._words_for(step.card, name, spec, clause, text)
            elif spec.required and spec.type != "image":
                needs.add(name)
        return needs

    def _is_worded(self, card: ToolCard, name: str, spec: ArgumentSpec) -> bool:
        """Return whether an argument is taken from the request, as in the demonstrations."""
        return spec.type == "text" and any(name in shown.args for shown in card.demonstrations)

    def _words_for(
        self, card: ToolCard, name: str, spec: ArgumentSpec, clause: str, text: str
    ) -> str:
        if name == "question":
            clause = without_remarks(clause)
        return self._readers[card.id].read(name, clause, text)[: spec.max_length]


def _same_words(one: Intent, other: Intent) -> bool:
    return (one.end, one.question) == (other.end, other.question)


def _share(intent: Intent) -> float:
    """Return the probability of an intent's card given its words alone."""
    return intent.shares.get(intent.tool, intent.probability)


def _fits(cards: Sequence[ToolCard]) -> int:
    """Count the adjacent pairs in which the first card produces an input of the second."""
    return sum(bool(set(one.outputs) & set(other.inputs)) for one, other in pairwise(cards))


def _feed(text: str, steps: list[Step], position: int, open_names: Sequence[str]) -> None:
    """Fill the open arguments of a step with outputs of earlier steps.

    For kinds of data that a person can provide, one output is used: the one that the step's words
    mention ("the summary"), else the latest. A second image or text is the person's own. For all
    other kinds, each argument gets a separate output.
    """
    step = steps[position]
    mentioned = _stems(text[step.intent.start : step.intent.end]) - _stems(step.card.title)
    producers = [n for n in range(position) if steps[n].card.id != step.card.id]
    producers.sort(key=lambda n: (bool(mentioned & _stems(steps[n].card.title)), n), reverse=True)
    candidates = [
        (name, producer)
        for producer in producers
        for name in open_names
        if step.card.arguments[name].type in GIVEN.intersection(steps[producer].card.outputs)
    ]
    for name, producer in candidates[:1]:
        step.args[name] = f"<{producer}>"
        step.parents.add(producer)
    for kind in {step.card.arguments[name].type for name in open_names} - GIVEN:
        names = [name for name in open_names if step.card.arguments[name].type == kind]
        sources = sorted(n for n in producers if kind in steps[n].card.outputs)[-len(names) :]
        for name, source in zip(names, sources, strict=False):
            step.args[name] = f"<{source}>"
            step.parents.add(source)


def _stems(text: str) -> set[str]:
    """Return the stems of the content words of a text."""
    return {word[:5] for word in _WORD.findall(text.lower())} - _KINDS
