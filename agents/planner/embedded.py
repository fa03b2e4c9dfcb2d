"""The embedded planner: MiniLM and fitted heads, on the processor, without a key or a network.

A request is cut into clauses; each clause is encoded once and the heads say which card it asks
for, or which of the well-known tasks that no card serves, or nothing. The wishes become a graph by
the kinds of data that cards take and give. Follow-ups take over pictures and tasks from the turns
before. The heads are fitted to the catalogue on first use and kept under the state folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from edgewright.agents.planner.assembly import Assembler
from edgewright.agents.planner.clauses import Clause, segment
from edgewright.agents.planner.detection import (
    Reading,
    Wish,
    calibrated,
    in_context,
    in_view,
    read,
)
from edgewright.agents.planner.examples import collect
from edgewright.agents.planner.language import foreign_language
from edgewright.agents.planner.mentions import masked
from edgewright.agents.planner.model import ClauseModel, fit_once
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.references import pictures, repeated_turn
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.demonstrations import PlanDemonstration
from edgewright.tools.settings import home

#: Longest request that is read, in characters, and most clauses of it.
MAX_REQUEST = 8000
MAX_CLAUSES = 40


class EmbeddedPlanner:
    """Plans with sentence vectors and heads fitted to the cards.

    Args:
        cards: The tools that may be planned.
        demonstrations: Whole requests with their tools, beside those on the cards.
        folder: Where fitted heads are kept; None means ``planner`` in the state folder.
    """

    def __init__(
        self,
        cards: CardRegistry,
        demonstrations: Sequence[PlanDemonstration] = (),
        *,
        folder: Path | None = None,
    ) -> None:
        self._cards = cards
        self._demonstrations = tuple(demonstrations)
        self._folder = folder
        self._assembler = Assembler(cards)

    @cached_property
    def model(self) -> ClauseModel:
        """The fitted heads; the first use fits or loads them."""
        folder = self._folder or home() / "planner"
        return fit_once(collect(self._cards, self._demonstrations), folder)

    def plan(self, request: PlanRequest) -> Plan:
        """Plan one request; what is wrong with it stands in the plan."""
        return self.plan_many([request])[0]

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests; their clauses go through the encoder together."""
        refusals = [_refusal(request) for request in requests]
        cut = [
            [] if refusal else segment(request.text)[:MAX_CLAUSES]
            for request, refusal in zip(requests, refusals, strict=True)
        ]
        readings = self._readings(requests, cut)
        return [
            _empty(request, refusal, 1.0) if refusal else self._planned(request, reading)
            for request, refusal, reading in zip(requests, refusals, readings, strict=True)
        ]

    def _readings(
        self, requests: Sequence[PlanRequest], cut: Sequence[list[Clause]]
    ) -> list[Reading]:
        """Read the clauses of all requests, each in the light of its whole request."""
        texts = [_text_of(clause.text) for clauses in cut for clause in clauses]
        several = [row for row, clauses in enumerate(cut) if len(clauses) > 1]
        wholes = [_text_of(requests[row].text) for row in several]
        probabilities = self.model.probabilities([*texts, *wholes])
        whole = dict(zip(several, probabilities[len(texts) :], strict=True))
        readings: list[Reading] = []
        start = 0
        for row, (request, clauses) in enumerate(zip(requests, cut, strict=True)):
            mine = probabilities[start : start + len(clauses)]
            start += len(clauses)
            if row in whole:
                mine = in_context(mine, whole[row])
            if request.subject:
                mine = in_view(mine, self.model)
            readings.append(read(clauses, mine, self.model))
        return readings

    def _planned(self, request: PlanRequest, reading: Reading) -> Plan:
        """Turn a reading into a plan."""
        turn = repeated_turn(request)
        if turn is not None and (not reading.wishes or reading.probability < 0.5 or request.images):
            reading = self._repeated(request, turn)
        if not reading.wishes:
            return _empty(request, self._why_nothing(reading), calibrated(reading.probability))
        tasks, needs = self._assembler.assemble(
            request.text,
            reading.wishes,
            [image.uri for image in pictures(request)],
            request.sensors,
        )
        declined = "; ".join(f"{c.text.strip()!r} ({name})" for c, name in reading.declined)
        return Plan(
            request=request.text,
            tasks=tasks,
            planner="embedded",
            confidence=round(calibrated(reading.probability), 4),
            needs=needs,
            reason=f"No card serves this part: {declined}." if declined else "",
        )

    def _repeated(self, request: PlanRequest, turn: Turn) -> Reading:
        """Read a request that names nothing to do as the wishes of an earlier turn."""
        wishes = tuple(
            Wish(tool=tool, start=0, end=len(request.text), probability=0.9, shares={})
            for tool in turn.plan_tools
            if tool in self._cards
        )
        return Reading(wishes=wishes, declined=(), unsure=(), probability=0.9)

    def _why_nothing(self, reading: Reading) -> str:
        shows = "'edgewright plan --list' shows what can be asked."
        if reading.declined:
            names = " and ".join(dict.fromkeys(name for _, name in reading.declined))
            return f"No card serves this request, which sounds like {names}; {shows}"
        if reading.unsure:
            titles = " or ".join(self._cards.get(tool).title for tool in reading.unsure)
            return (
                f"It is not clear what is wanted: do you mean {titles}? Please say it differently."
            )
        return f"No card serves this request; {shows}"


def _text_of(words: str) -> str:
    """Return a clause, or a whole request, as the encoder reads it."""
    return masked(words).strip()


def _refusal(request: PlanRequest) -> str:
    """Say why a request cannot be read at all, or return an empty string."""
    text = request.text
    if not text.strip():
        return "The request is empty; say what you want to know."
    if len(text) > MAX_REQUEST:
        return f"The request is longer than {MAX_REQUEST} characters; say it in fewer words."
    if language := foreign_language(text):
        return f"Not understood: requests are read in English, and this looks like {language}."
    return ""


def _empty(request: PlanRequest, reason: str, confidence: float) -> Plan:
    return Plan(
        request=request.text,
        tasks=(),
        planner="embedded",
        confidence=round(confidence, 4),
        reason=reason,
    )
