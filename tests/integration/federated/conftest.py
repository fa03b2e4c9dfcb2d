"""A finished run with a trial that learns digits in seconds, as a deployment begins with."""

from typing import Protocol

import pytest

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport, write_report
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, TrialResult
from edgewright.tools.federated.template.writer import settings_for, write_app
from edgewright.tools.federated.trials.prepare import DataRequest, prepare


class FinishedRun(Protocol):
    """Writes a finished run to a folder."""

    def __call__(self, run: RunFolder, *, clients: int, **changes: object) -> None: ...


@pytest.fixture
def write_finished_run(candidate: Candidate) -> FinishedRun:
    """Return a function that writes a finished run, whose training is no part of the tests."""
    quick = candidate.model_copy(update={"rounds": 3, "local_epochs": 3})
    return lambda run, *, clients, **changes: _write(run, quick.model_copy(update=changes), clients)


def _write(run: RunFolder, candidate: Candidate, clients: int) -> None:
    card = prepare(DataRequest(clients=clients), run)
    trial = run.trial(1)
    settings = settings_for(candidate, card, data=run.data, out=trial.out, seed=0)
    write_app(candidate, settings, trial.app)
    score = ModelScore(accuracy=0.9, loss=0.3, clients=(0.9,) * clients)
    point = CurvePoint(
        round_number=1, train_loss=0.3, train_accuracy=0.9, validation=score, bytes_up=1,
        bytes_down=1, simulated_s=1, wall_s=1,
    )  # fmt: skip
    result = TrialResult(
        number=1, status="finished", engine="in-process", sandbox="sandlock", seed=0,
        curve=(point,), best_round=1,
    )  # fmt: skip
    ended = TrialReport(
        coder="embedded", candidate=candidate, reasons=(), note="", faults=(), result=result
    )
    report = RunReport(
        run=run.root.name, purpose="classify photos of handwritten digits", stop="target", seed=0,
        engine="in-process", link=LinkSpeed(), data=card, trials=(ended,), best=1, test=score,
    )  # fmt: skip
    write_report(run, report)
