"""The embedded planner: MiniLM and fitted heads, on the processor, without a key or a network.

A request and its clauses are encoded together. The whole request, its clauses and the examples
nearest to it say which cards it asks for, if any; the clauses say with which words. The wishes
become a graph by the kinds of data that cards take and give. Follow-ups take over pictures and
tasks from the turns before. The model of the cards built in ships with the package; that of another
catalogue is fitted on its first use and kept under the state folder.
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
from edgewright.agents.planner.embedded.references import pictures, tools_before
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.planner.embedded.words import Words
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.cards import CardRegistry

#: Longest request that is read, in characters, and most clauses of it.
MAX_REQUEST = 8000
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
        """Plan one request; what is wrong with it stands in the plan."""
        return self.plan_many([request])[0]

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests; their words go through the encoder together."""
        refusals = [_refusal(request) for request in requests]
        readable = [r for r, refusal in zip(requests, refusals, strict=True) if not refusal]
        readings = iter(self._readings(readable))
        return [
            _empty(request, refusal, 1.0) if refusal else self._planned(request, next(readings))
            for request, refusal in zip(requests, refusals, strict=True)
        ]

    def _readings(self, requests: Sequence[PlanRequest]) -> list[Reading]:
        """Read requests: what they ask for as wholes, and with which of their clauses."""
        model = self.model  # gets ready on the first request, be it one that cannot be read
        if not requests:
            return []
        texts = [request.text for request in requests]
        cut = [segment(text)[:MAX_CLAUSES] or [Clause(text, 0, len(text))] for text in texts]
        words = [Words.of(text, clauses) for text, clauses in zip(texts, cut, strict=True)]
        in_view = np.array([bool(request.subject) for request in requests])
        following = np.array([bool(self._before(request)) for request in requests])
        verdict, rows = model.read(words, in_view, following)
        return [
            read(clauses, rows[place], model.labels, self._judged(verdict, place))
            for place, clauses in enumerate(cut)
        ]

    def _judged(self, verdict: Verdict, place: int) -> Judged:
        """Take one request's verdict out of those on many."""
        ids = self.model.labels[: self.model.tools]
        return Judged(
            asked=float(verdict.asked[place]),
            cards=dict(zip(ids, verdict.cards[place].tolist(), strict=True)),
            chosen=tuple(ids[n] for n in np.flatnonzero(verdict.chosen[place])),
            certainty=float(verdict.certainty[place]),
        )

    def _planned(self, request: PlanRequest, reading: Reading) -> Plan:
        """Turn a reading into a plan."""
        if not reading.intents:
            return _empty(request, self._why_nothing(reading), reading.probability)
        tasks, needs = self._assembler.assemble(
            request.text,
            self._resolved(reading.intents, self._before(request)),
            [image.uri for image in pictures(request)],
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

    def _before(self, request: PlanRequest) -> list[str]:
        """Return what "the same again" means, of the cards that are still there."""
        return [tool for tool in tools_before(request) if tool in self._cards]

    def _resolved(self, intents: Sequence[Intent], before: Sequence[str]) -> list[Intent]:
        """Put the cards of an earlier turn in the place of the wish for what was done then."""
        return [
            replace(intent, tool=tool)
            for intent in intents
            for tool in (before if intent.tool == AS_BEFORE else [intent.tool])
        ]

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
