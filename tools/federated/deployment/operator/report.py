"""The report of a run of a deployment, from its checkpoints' records and the clients' scores."""

from __future__ import annotations

from pydantic import TypeAdapter

from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.app.files import finished_rounds, round_folder
from edgewright.tools.federated.deployment.folders import DeployedRun
from edgewright.tools.federated.deployment.records import (
    ClientStatus,
    DeploymentReport,
    RoundScore,
    RoundSummary,
)
from edgewright.tools.federated.records.trial import RoundRecord
from edgewright.tools.storage.atomic import write_file

_STATUSES = TypeAdapter(tuple[ClientStatus, ...])


def read_statuses(run: DeployedRun) -> tuple[ClientStatus, ...]:
    """Return what the clients reported before the first round; empty before that."""
    try:
        return _STATUSES.validate_json(run.statuses.read_bytes())
    except OSError:
        return ()


def read_score(run: DeployedRun, number: int) -> RoundScore | None:
    """Return the clients' scores of a round's model; None if there are none."""
    try:
        text = (run.scores / f"round-{number:04d}.json").read_bytes()
    except OSError:
        return None
    score = RoundScore.model_validate_json(text)
    return score if score.clients else None


def read_round(run: DeployedRun, number: int) -> RoundSummary:
    """Return a finished round."""
    text = (round_folder(run.checkpoints, number) / "record.json").read_bytes()
    record = RoundRecord.model_validate_json(text)
    score = read_score(run, number)
    return RoundSummary(
        round_number=number,
        clients=tuple(each.client for each in record.clients),
        dropped=record.dropped,
        accuracy=score.accuracy if score else None,
    )


def write_report(run: DeployedRun) -> None:
    """Write the report of a run whose rounds are finished.

    Raises:
        InputError: No client has scored any round (``no_scores``).
    """
    numbers = finished_rounds(run.checkpoints)
    scores = [score for number in numbers if (score := read_score(run, number)) is not None]
    if not scores:
        raise InputError(
            "no client has scored any round, so no model can be chosen", code="no_scores"
        )
    # Scores are compared over the same clients, those that have scored to the end.
    last = scores[-1].clients.keys()
    comparable = [score for score in scores if score.clients.keys() >= last]
    best = max(comparable, key=lambda score: score.among(last).accuracy)  # the earlier, if equal
    report = DeploymentReport(
        clients=read_statuses(run),
        rounds=tuple(read_round(run, number) for number in numbers),
        best=best,
        restarts=len(run.starts.read_text("utf-8").split()) - 1,
    )
    write_file(run.report, report.model_dump_json(indent=2).encode())


def read_deployment_report(run: DeployedRun) -> DeploymentReport:
    """Read the report of a run.

    Raises:
        NotFoundError: The run has not ended (``no_report``).
    """
    try:
        return DeploymentReport.model_validate_json(run.report.read_bytes())
    except OSError:
        raise NotFoundError(
            f"the run {run.root.name!r} has not ended; 'edgewright federate run' resumes it",
            code="no_report",
        ) from None
