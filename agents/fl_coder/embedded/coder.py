"""The embedded coder: a recipe book, rules that diagnose curves, and a reader of constraints."""

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

_MAX_RATIONALE = 500


class EmbeddedCoder:
    """Proposes candidates without an API key or a network; implements ``Coder``."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next; the best candidate so far if no adjustment is left."""
        design = first_design(problem.words, problem.card)
        if _is_new(design.candidate, attempts):
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
                reason = f"the previous attempt failed: {fault.message}"
                return _changed(last, words, candidate, reason)
        return last.proposal

    def _improved(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        best = best_attempt(attempts)
        assert best is not None and best.result is not None
        diagnosis = diagnose(best.result.curve, problem.card)
        candidate = best.proposal.candidate
        # The adjustments for a plateau are worth a try when no other is left.
        for words, changed in (
            *adjustments(candidate, diagnosis.cause, problem.card),
            *adjustments(candidate, "plateau", problem.card),
        ):
            if not _tried(changed, attempts) and _fits(changed, best, problem.limits):
                reason = f"{diagnosis.cause}: {diagnosis.evidence}"
                return _changed(best, words, changed, reason)
        return best.proposal


def _is_new(design: Candidate, attempts: Sequence[Attempt]) -> bool:
    """Return whether the design for the words has been neither tried nor edited by a person."""
    edited = any(attempt.proposal.coder == "person" for attempt in attempts)
    return not attempts or not (edited or _tried(design, attempts))


def _tried(candidate: Candidate, attempts: Sequence[Attempt]) -> bool:
    return any(same(candidate, attempt.proposal.candidate) for attempt in attempts)


def _fits(candidate: Candidate, finished: Attempt, limits: SandboxLimits) -> bool:
    """Return whether a training run would finish in time, extrapolated from one that did."""
    assert finished.result is not None
    ratio = effort(candidate) / effort(finished.proposal.candidate)
    return ratio * finished.result.curve[-1].wall_s <= limits.time_s


def _changed(attempt: Attempt, words: str, candidate: Candidate, reason: str) -> Proposal:
    choices = (*attempt.proposal.choices, DesignChoice(choice=words, reason=reason))
    return _proposal(candidate, choices, f"{words}, because of {reason}")


def _proposal(candidate: Candidate, choices: tuple[DesignChoice, ...], rationale: str) -> Proposal:
    text = rationale or candidate.rationale
    noted = candidate.model_copy(update={"rationale": text[:_MAX_RATIONALE]})
    return Proposal(candidate=noted, choices=choices, coder="embedded")
