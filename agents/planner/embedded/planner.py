"""The embedded planner: MiniLM and fitted heads on the CPU, without an API key or a network.

A request and its clauses are encoded together. The whole request, its clauses and the nearest
examples decide which cards are requested, if any; the clauses decide by which words. The intents
become a graph by the kinds of data that cards take and return. Follow-ups reuse images and tasks of
earlier turns. The model for the built-in cards ships with the package; the model for any other
catalogue is fitted on its first use and cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from edgewright.agents.planner.embedded.assembly import Assembler
from edgewright.agents.planner.embedded.clauses import Clause, segment
from edgewright.agents.planner.embedded.detection import Intent, Judged, Reading, read
from edgewright.agents.planner.embedded.evidence import Verdict
from edgewright.agents.planner.embedded.language import foreign_language
from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.embedded.references import referenced_images, tools_before
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import MAX_REQUEST, PlanRequest
from edgewright.tools.cards import CardRegistry

#: Maximum number of clauses of a request that are read.
MAX_CLAUSES = 40


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

    @cached_property
    def model(self) -> RequestModel:
        """The fitted model, loaded on first use."""
        return self._load_model()

    def plan(self, request: PlanRequest) -> Plan:
        """Plan one request. Problems with it are reported in the plan."""
        return self.plan_many([request])[0]

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests; their texts are encoded together."""
        refusals = [_refusal(request) for request in requests]
        readable = [r for r, refusal in zip(requests, refusals, strict=True) if not refusal]
        readings = iter(self._readings(readable))
        return [
            _empty(request, refusal, 1.0) if refusal else self._planned(request, next(readings))
            for request, refusal in zip(requests, refusals, strict=True)
        ]

    def _readings(self, requests: Sequence[PlanRequest]) -> list[Reading]:
        """Determine the intents of requests."""
        model = self.model  # loaded by the first request, even if that one cannot be read
        if not requests:
            return []
        texts = [request.text for request in requests]
        cut = [segment(text)[:MAX_CLAUSES] or [Clause(text, 0, len(text))] for text in texts]
        words = [Words.of(text, clauses) for text, clauses in zip(texts, cut, strict=True)]
        has_image = np.array([bool(request.subject) for request in requests])
        can_repeat = np.array([bool(self._repeatable(request)) for request in requests])
        verdict, rows = model.read(words, has_image, can_repeat)
        return [
            read(clauses, rows[index], model.labels, self._judged(verdict, index))
            for index, clauses in enumerate(cut)
        ]

    def _judged(self, verdict: Verdict, index: int) -> Judged:
        """Return the verdict on one request of a batch."""
        ids = self.model.labels[: self.model.tools]
        return Judged(
            any_card=float(verdict.any_card[index]),
            cards=dict(zip(ids, verdict.cards[index].tolist(), strict=True)),
            chosen=tuple(ids[n] for n in np.flatnonzero(verdict.chosen[index])),
            certainty=float(verdict.certainty[index]),
        )

    def _planned(self, request: PlanRequest, reading: Reading) -> Plan:
        """Turn a reading into a plan."""
        if not reading.intents:
            return _empty(request, self._explanation(reading), reading.probability)
        tasks, needs = self._assembler.assemble(
            request.text,
            self._resolved(reading.intents, self._repeatable(request)),
            [image.uri for image in referenced_images(request)],
            request.sensors,
        )
        declined = "; ".join(f"{c.text.strip()!r} ({name})" for c, name in reading.declined)
        return Plan(
            request=request.text,
            tasks=tasks,
            planner="embedded",
            confidence=round(reading.probability, 4),
            needs=needs,
            reason=f"No card serves this part: {declined}." if declined else "",
        )

    def _repeatable(self, request: PlanRequest) -> list[str]:
        """Return the cards that "the same again" refers to and that still exist."""
        return [tool for tool in tools_before(request) if tool in self._cards]

    def _resolved(self, intents: Sequence[Intent], repeatable: Sequence[str]) -> list[Intent]:
        """Replace the intent to repeat an earlier turn by the cards of that turn."""
        return [
            replace(intent, tool=tool)
            for intent in intents
            for tool in (repeatable if intent.tool == AS_BEFORE else [intent.tool])
        ]

    def _explanation(self, reading: Reading) -> str:
        """Return the reason for an empty plan."""
        hint = "'edgewright plan --list' lists the cards that can be requested."
        if reading.declined:
            names = " and ".join(dict.fromkeys(name for _, name in reading.declined))
            return f"No card serves this request, which sounds like {names}; {hint}"
        if reading.unsure:
            titles = " or ".join(self._cards.get(tool).title for tool in reading.unsure)
            return f"The request is ambiguous: do you mean {titles}? Please rephrase it."
        return f"No card serves this request; {hint}"


def _refusal(request: PlanRequest) -> str:
    """Return the reason why a request cannot be read at all, or an empty string."""
    text = request.text
    if not text.strip():
        return "The request is empty; say what you want to know."
    if len(text) > MAX_REQUEST:
        return f"The request is longer than {MAX_REQUEST} characters; shorten it."
    if language := foreign_language(text):
        return f"The request was not understood: it must be in English, but looks like {language}."
    return ""


def _empty(request: PlanRequest, reason: str, confidence: float) -> Plan:
    return Plan(
        request=request.text,
        tasks=(),
        planner="embedded",
        confidence=round(confidence, 4),
        reason=reason,
    )
