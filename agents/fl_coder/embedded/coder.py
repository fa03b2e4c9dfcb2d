"""The embedded coder: a recipe book, rules that read curves, and a reader of the person's words."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.fl_coder.embedded.adjustments import adjustments, repairs
from edgewright.agents.fl_coder.embedded.design import first_design
from edgewright.agents.fl_coder.embedded.diagnosis import diagnose
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.protocol import (
    Attempt,
    DesignChoice,
    Proposal,
    TrainingProblem,
    best_attempt,
    same,
)
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.sandbox.limits import SandboxLimits

_LONGEST_RATIONALE = 500


class EmbeddedCoder:
    """Proposes candidates without a key and without a network; implements ``Coder``."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next; the best one so far again if no remedy is left."""
        design = first_design(problem.words, problem.card)
        if _unanswered(design.candidate, attempts):
            rationale = "; ".join(choice.choice for choice in design.choices)
            return _proposal(design.candidate, design.choices, rationale)
        if attempts[-1].complaints:
            return self._repaired(problem, attempts)
        return self._improved(problem, attempts)

    def _repaired(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        last = attempts[-1]
        fault = last.complaints[0]
        for words, candidate in repairs(last.proposal.candidate, fault, problem.card):
            if not _tried(candidate, attempts):
                reason = f"the attempt before failed: {fault.message}"
                return _changed(last, words, candidate, reason)
        return last.proposal

    def _improved(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        best = best_attempt(attempts)
        assert best is not None and best.result is not None
        diagnosis = diagnose(best.result.curve, problem.card)
        candidate = best.proposal.candidate
        # What helps against a plateau is worth a try when nothing else is left.
        for words, changed in (
            *adjustments(candidate, diagnosis.cause, problem.card),
            *adjustments(candidate, "plateau", problem.card),
        ):
            if not _tried(changed, attempts) and _fits(changed, best, problem.limits):
                reason = f"{diagnosis.cause}: {diagnosis.evidence}"
                return _changed(best, words, changed, reason)
        return best.proposal


def _unanswered(design: Candidate, attempts: Sequence[Attempt]) -> bool:
    """Say whether what the words ask for was not tried yet, nor put right by a person."""
    edited = any(attempt.proposal.coder == "person" for attempt in attempts)
    return not attempts or not (edited or _tried(design, attempts))


def _tried(candidate: Candidate, attempts: Sequence[Attempt]) -> bool:
    return any(same(candidate, attempt.proposal.candidate) for attempt in attempts)


def _fits(candidate: Candidate, known: Attempt, limits: SandboxLimits) -> bool:
    """Say whether a training would come to its end in time, going by one that did."""
    assert known.result is not None
    times = effort(candidate) / effort(known.proposal.candidate)
    return times * known.result.curve[-1].wall_s <= limits.time_s


def _changed(attempt: Attempt, words: str, candidate: Candidate, reason: str) -> Proposal:
    choices = (*attempt.proposal.choices, DesignChoice(choice=words, reason=reason))
    return _proposal(candidate, choices, f"{words}, because of {reason}")


def _proposal(candidate: Candidate, choices: tuple[DesignChoice, ...], rationale: str) -> Proposal:
    text = rationale or candidate.rationale
    noted = candidate.model_copy(update={"rationale": text[:_LONGEST_RATIONALE]})
    return Proposal(candidate=noted, choices=choices, coder="embedded")
