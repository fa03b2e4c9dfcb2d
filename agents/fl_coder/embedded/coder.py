"""The embedded coder: a recipe book, rules that diagnose curves, and a reader of constraints."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.embedded.adjustments import adjustments, repairs
from edgewright.agents.fl_coder.embedded.design import design_for
from edgewright.agents.fl_coder.embedded.diagnosis import diagnose
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.embedded.orders import Orders
from edgewright.agents.fl_coder.embedded.remarks import read_remarks
from edgewright.agents.fl_coder.protocol import (
    Attempt,
    DesignChoice,
    Proposal,
    TrainingProblem,
    best_attempt,
    same,
)
from edgewright.tools.federated.records.candidate import Candidate

_MAX_RATIONALE = 500


class EmbeddedCoder:
    """Proposes candidates without an API key or a network; implements ``Coder``."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next; the best candidate so far if no adjustment is left."""
        orders = read_remarks(problem)
        design = design_for(orders.promises, problem.card)
        candidate = orders.applied(design.candidate)
        if _is_new(candidate, attempts):
            choices = _without_repeats((*design.choices, *orders.choices))
            rationale = "; ".join(choice.choice for choice in choices)
            proposal = _proposal(candidate, choices, rationale)
            return proposal.model_copy(update={"note": orders.answer[:1000]})
        if attempts[-1].complaints:
            return self._repaired(problem, attempts, orders)
        return self._improved(problem, attempts, orders)

    def _repaired(
        self, problem: TrainingProblem, attempts: Sequence[Attempt], orders: Orders
    ) -> Proposal:
        last = attempts[-1]
        fault = last.complaints[0]
        for words, repaired in repairs(last.proposal.candidate, fault, problem.card):
            candidate = orders.applied(repaired)
            if not _tried(candidate, attempts):
                reason = f"the previous attempt failed: {fault.message}"
                return _changed(last, words, candidate, reason)
        return last.proposal

    def _improved(
        self, problem: TrainingProblem, attempts: Sequence[Attempt], orders: Orders
    ) -> Proposal:
        best = best_attempt(attempts)
        assert best is not None and best.result is not None
        diagnosis = diagnose(best.result.curve, problem.card)
        candidate = best.proposal.candidate
        promises, clients = orders.promises, len(problem.card.clients)
        # The adjustments for a plateau are worth a try when no other is left.
        for words, adjusted in (
            *adjustments(candidate, diagnosis.cause, problem.card),
            *adjustments(candidate, "plateau", problem.card),
        ):
            changed = orders.applied(adjusted)
            held = not broken(changed, promises, clients, None)
            if held and not _tried(changed, attempts) and _fits(changed, best, problem):
                reason = f"{diagnosis.cause}: {diagnosis.evidence}"
                return _changed(best, words, changed, reason)
        return best.proposal


def _without_repeats(choices: tuple[DesignChoice, ...]) -> tuple[DesignChoice, ...]:
    """Keep the last of choices with the same words: a limit on rounds and an order are one."""
    return tuple({(each.words, each.choice): each for each in choices}.values())


def _is_new(design: Candidate, attempts: Sequence[Attempt]) -> bool:
    """Return whether the design for the words has been neither tried nor edited by a person."""
    edited = any(attempt.proposal.coder == "person" for attempt in attempts)
    return not attempts or not (edited or _tried(design, attempts))


def _tried(candidate: Candidate, attempts: Sequence[Attempt]) -> bool:
    return any(same(candidate, attempt.proposal.candidate) for attempt in attempts)


def _fits(candidate: Candidate, finished: Attempt, problem: TrainingProblem) -> bool:
    """Return whether a training run would finish in time, extrapolated from one that did."""
    assert finished.result is not None
    ratio = effort(candidate) / effort(finished.proposal.candidate)
    left = math.inf if problem.time_left_s is None else problem.time_left_s
    return ratio * finished.result.curve[-1].wall_s <= min(left, problem.limits.time_s)


def _changed(attempt: Attempt, words: str, candidate: Candidate, reason: str) -> Proposal:
    choices = (*attempt.proposal.choices, DesignChoice(choice=words, reason=reason))
    return _proposal(candidate, choices, f"{words}, because of {reason}")


def _proposal(candidate: Candidate, choices: tuple[DesignChoice, ...], rationale: str) -> Proposal:
    text = rationale or candidate.rationale
    noted = candidate.model_copy(update={"rationale": text[:_MAX_RATIONALE]})
    return Proposal(candidate=noted, choices=choices, coder="embedded")
