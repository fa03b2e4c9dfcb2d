"""From the state of a run to its report."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.fl_coder.protocol import Attempt
from edgewright.graphs.federated.cautions import cautions
from edgewright.graphs.federated.decisions import best_of
from edgewright.graphs.federated.state import StopReason, TrainSettings
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.report import Reason, RunReport, TrialReport
from edgewright.tools.federated.records.trial import ModelScore


def report_of(
    *,
    run: str,
    purpose: str,
    card: DataCard,
    settings: TrainSettings,
    attempts: Sequence[Attempt],
    stop: StopReason,
    test: ModelScore | None,
) -> RunReport:
    """Return the report of a run that has ended.

    Args:
        run: Name of the run.
        purpose: Its purpose, in the person's words.
        card: The data card.
        settings: Its settings.
        attempts: All attempts, oldest first.
        stop: Why it ended.
        test: Score of the best trial on the test split; None if no trial completed.
    """
    best = best_of(attempts)
    return RunReport(
        run=run,
        purpose=purpose,
        stop=stop,
        engine=settings.engine,
        seed=settings.seed,
        link=settings.link,
        data=card,
        trials=tuple(_trial(attempt) for attempt in attempts),
        best=best.result.number if best and best.result else 0,
        test=test,
        cautions=cautions(best, attempts, card) if best else (),
    )


def _trial(attempt: Attempt) -> TrialReport:
    proposal = attempt.proposal
    return TrialReport(
        coder=proposal.coder,
        candidate=proposal.candidate,
        reasons=tuple(Reason(**choice.model_dump()) for choice in proposal.choices),
        note=proposal.note,
        faults=attempt.faults,
        result=attempt.result,
    )
