"""The embedded planner: grammar, MiniLM and fitted heads on the CPU, without a key or a network.

A request is read in steps: its text is normalised, what is not wanted is taken out, conditions and
images are found (``grammar``), and what remains becomes units that are about the same images on the
same condition. The units and their clauses are encoded together; fitted heads and the nearest
examples decide which cards each unit requests, if any. The intents become a graph by the kinds of
data that cards take and return. The model for the built-in cards ships with the package; the model
for any other catalogue is fitted on its first use and cached.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from edgewright.agents.planner.embedded.assembly import Assembler
from edgewright.agents.planner.embedded.composition import Scope
from edgewright.agents.planner.embedded.conversation import latest_turn
from edgewright.agents.planner.embedded.detection import (
    Intent,
    Judged,
    Reading,
    read,
    with_sentences,
)
from edgewright.agents.planner.embedded.evidence import Flags, Verdict
from edgewright.agents.planner.embedded.forms import Forms
from edgewright.agents.planner.embedded.grammar.acts import Act, acts_outside
from edgewright.agents.planner.embedded.grammar.clauses import Clause, segment
from edgewright.agents.planner.embedded.grammar.sentences import (
    asking,
)
from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.embedded.parts.part import Part
from edgewright.agents.planner.embedded.parts.tagger import Tagger, shipped_tagger
from edgewright.agents.planner.embedded.reasons import Reasons
from edgewright.agents.planner.embedded.steps import Unit
from edgewright.agents.planner.embedded.understanding import Understanding, understand
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.planner.embedded.wording import Wording
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import MAX_REQUEST, PlanRequest
from edgewright.agents.text.language import foreign_language, notice
from edgewright.agents.text.normalise import normalised
from edgewright.tools.cards import CardRegistry, ToolCard

#: Maximum number of clauses of a request that are read.
MAX_CLAUSES = 40
#: So few words of a follow-up are read in any case.
FEW_WORDS = 2


@dataclass
class _Draft:
    """A request on its way to a plan.

    Attributes:
        request: The request.
        understood: Its grammar.
        repeatable: The tasks of the latest turn whose cards still exist.
        known: Those of all earlier turns.
        readings: The reading of each unit that needs one, by its position.
    """

    request: PlanRequest
    understood: Understanding
    repeatable: tuple[Task, ...]
    known: tuple[Task, ...]
    readings: dict[int, Reading] = field(default_factory=dict)


class EmbeddedPlanner:
    """Plans with sentence vectors and heads fitted to the cards.

    Args:
        cards: The tools that may be planned, with their demonstrations.
        load_model: Returns the model fitted to the cards; called on the first request.
    """

    def __init__(self, cards: CardRegistry, load_model: Callable[[], RequestModel]) -> None:
        self._cards = cards
        self._load_model = load_model
        self._assembler = Assembler(cards)
        self._forms = Forms(cards, self._assembler.asking)
        self._reasons = Reasons(cards)

    @cached_property
    def model(self) -> RequestModel:
        """The fitted model, loaded on first use."""
        return self._load_model()

    @cached_property
    def tagger(self) -> Tagger:
        """The network that marks the parts of a request, loaded on first use."""
        return shipped_tagger()

    @cached_property
    def _acts(self) -> tuple[Act, ...]:
        return acts_outside(
            {name for card in self._cards for name in _served(card)},
            [[each.request for each in card.demonstrations] for card in self._cards],
        )

    @cached_property
    def _wording(self) -> Wording:
        return Wording(self._cards)

    def prepare(self) -> None:
        """Load or fit the model, for which the first request would wait."""
        _ = self.model

    def plan(self, request: PlanRequest) -> Plan:
        """Plan one request. Problems with it are reported in the plan."""
        return self.plan_many([request])[0]

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests; their texts are encoded together."""
        model = self.model  # loaded by the first request, even if that one cannot be read
        texts = [normalised(request.text) for request in requests]
        refusals = [
            self._refusal(text, follows=bool(request.history))
            for request, text in zip(requests, texts, strict=True)
        ]
        texts = [
            "" if refusal else self._wording.speller.corrected(text)
            for text, refusal in zip(texts, refusals, strict=True)
        ]
        drafts = [
            self._draft(request, text, parts) if text else None
            for request, text, parts in zip(requests, texts, self.tagger.parts(texts), strict=True)
        ]
        self._read(model, [draft for draft in drafts if draft])
        return [
            self._planned(draft) if draft else _empty(request, refusal, 1.0)
            for request, refusal, draft in zip(requests, refusals, drafts, strict=True)
        ]

    def _refusal(self, text: str, *, follows: bool) -> str:
        """Return the reason why a text cannot be read at all, or an empty string.

        A few words after an earlier turn are too short to tell their language: "eggs? butter?".
        """
        if not text.strip():
            return "The request is empty; say what you want to know."
        if len(text) > MAX_REQUEST:
            return f"The request is longer than {MAX_REQUEST} characters; shorten it."
        if follows and text.isascii() and len(text.split()) <= FEW_WORDS:
            return ""
        language = foreign_language(text, self._wording.is_common)
        return "" if language is None else notice(language)

    def _draft(self, request: PlanRequest, text: str, parts: Sequence[Part]) -> _Draft:
        """Read the grammar of a request, before its intents."""
        understood = understand(
            text,
            request,
            parts=parts,
            conditions=self._assembler.asking is not None,
            acts=self._acts,
        )
        latest = latest_turn(request)
        known = tuple(
            task for turn in request.history for task in turn.tasks if task.tool in self._cards
        )
        return _Draft(
            request,
            understood,
            tuple(task for task in known if latest and task in latest.tasks),
            known,
        )

    def _read(self, model: RequestModel, drafts: Sequence[_Draft]) -> None:
        """Determine the intents of all units, encoded together."""
        open_units = [
            (draft, number, unit)
            for draft in drafts
            for number, unit in enumerate(draft.understood.units)
            if unit.text and not unit.again
        ]
        if not open_units:
            return
        asked = [asking(unit.text) for _, _, unit in open_units]
        texts = [
            text
            for (_, _, unit), said in zip(open_units, asked, strict=True)
            for text in (unit.text, *(sentence.text for sentence in said))
        ]
        counts = [1 + len(said) for said in asked]
        has_image = np.repeat([bool(unit.images) for _, _, unit in open_units], counts)
        can_repeat = np.repeat([bool(draft.repeatable) for draft, _, _ in open_units], counts)
        readings = iter(self._readings(model, texts, has_image, can_repeat))
        for (draft, number, unit), said in zip(open_units, asked, strict=True):
            whole = next(readings)
            reading = with_sentences(whole, [(sentence, next(readings)) for sentence in said])
            draft.readings[number] = self._forms.corrected(
                unit, reading, follows=bool(draft.repeatable), kinds=draft.understood.kinds
            )

    def _readings(
        self, model: RequestModel, texts: Sequence[str], has_image: Flags, can_repeat: Flags
    ) -> list[Reading]:
        """Read texts, encoded together."""
        cut = [segment(text)[:MAX_CLAUSES] or [Clause(text, 0, len(text))] for text in texts]
        words = [Words.of(text, clauses) for text, clauses in zip(texts, cut, strict=True)]
        verdict, rows = model.read(words, has_image, can_repeat)
        return [
            read(clauses, shares, model.labels, self._judged(verdict, index))
            for index, (clauses, shares) in enumerate(zip(cut, rows, strict=True))
        ]

    def _judged(self, verdict: Verdict, index: int) -> Judged:
        """Return the verdict on one unit of a batch."""
        ids = self.model.labels[: self.model.tools]
        return Judged(
            any_card=float(verdict.any_card[index]),
            cards=dict(zip(ids, verdict.cards[index].tolist(), strict=True)),
            chosen=tuple(ids[n] for n in np.flatnonzero(verdict.chosen[index])),
            certainty=float(verdict.certainty[index]),
        )

    def _planned(self, draft: _Draft) -> Plan:
        """Turn a draft into a plan."""
        request, units = draft.request, draft.understood.units
        intents = [intent for number in range(len(units)) for intent in _intents(draft, number)]
        readings = list(draft.readings.values())
        certainty = math.prod(reading.probability for reading in readings)
        if not intents and not any(unit.only_checks for unit in units):
            reason = self._reasons.why_empty(draft.understood, readings, request.history)
            return _empty(request, reason, certainty)
        tasks, needs = self._assembler.assemble(
            _joined(units), intents, [_scope(unit) for unit in units], request.sensors
        )
        notes = (*draft.understood.problems, *_unserved(readings))
        return Plan(
            request=request.text,
            tasks=tasks,
            planner="embedded",
            confidence=round(certainty, 4),
            needs=needs,
            reason=" ".join(notes),
            notes=notes,
        )


def _served(card: ToolCard) -> Iterator[str]:
    """Yield the names of the tasks that a card serves."""
    yield re.sub(r"[^a-z0-9]+", "-", card.id.lower())
    # A card that draws from a pose is an image-to-image card, but takes no image to edit.
    if "image" in card.inputs or not card.task_type.startswith("image-"):
        yield card.task_type


def _intents(draft: _Draft, number: int) -> list[Intent]:
    """Return the intents of a unit, with positions in the texts of all units."""
    units = draft.understood.units
    unit = units[number]
    offset = len(_joined(units[:number])) + bool(number)
    if unit.again:
        words = Intent("", offset, offset + len(unit.text), 1.0, {}, unit=number)
        return _repeated(words, [task for task in unit.again if task in draft.known])
    found: list[Intent] = []
    for intent in draft.readings[number].intents if number in draft.readings else ():
        placed = replace(
            intent,
            start=intent.start + offset,
            end=intent.end + offset,
            unit=number,
            question=unit.question,
        )
        if intent.tool == AS_BEFORE:
            again = _repeated(placed, [task for task in draft.repeatable if not task.when])
            there = {(intent.tool, intent.question) for intent in found}
            found += [each for each in again if (each.tool, each.question) not in there]
        elif not unit.question or placed.tool not in {each.tool for each in found}:
            found.append(placed)
    return found


def _repeated(words: Intent, tasks: Sequence[Task]) -> list[Intent]:
    """Return the intents of earlier tasks, each once however many images they had."""
    asked = dict.fromkeys((task.tool, task.args.get("question", "")) for task in tasks)
    return [replace(words, tool=tool, question=question) for tool, question in asked]


def _joined(units: Sequence[Unit]) -> str:
    return "\n".join(unit.text for unit in units)


def _scope(unit: Unit) -> Scope:
    return Scope(
        images=tuple(image.uri for image in unit.images),
        guard=unit.guard,
        checked=tuple(image.uri for image in unit.checked) if unit.checked else None,
    )


def _unserved(readings: Sequence[Reading]) -> list[str]:
    declined = "; ".join(
        f"{clause.text.strip()!r} ({name})"
        for reading in readings
        for clause, name in reading.declined
    )
    return [f"No card serves this part: {declined}."] if declined else []


def _empty(request: PlanRequest, reason: str, confidence: float) -> Plan:
    return Plan(
        request=request.text,
        tasks=(),
        planner="embedded",
        confidence=round(confidence, 4),
        reason=reason,
    )
