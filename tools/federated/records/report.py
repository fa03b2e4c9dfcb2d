"""The report of a run: its trials, their results and their costs."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, ValidationError

from edgewright.tools.datasets.summary import DataSummary
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import (
    CurvePoint,
    Engine,
    LinkSpeed,
    ModelScore,
    TrialResult,
)
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.reading import read_file

_MAX_REPORT_BYTES = 100_000_000


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Frozen):
    """The words of the purpose that led to a choice."""

    words: str
    choice: str
    reason: str


class Costs(TypedDict):
    """Bytes to and from all clients, simulated seconds and wall-clock seconds."""

    bytes_up: int
    bytes_down: int
    simulated_s: float
    wall_s: float


class TrialReport(_Frozen):
    """One proposal and its outcome.

    Attributes:
        coder: Name of the coder that proposed it.
        candidate: Its code and values.
        reasons: The words that led to its choices.
        note: Remark for a person on how it was created.
        faults: Why it was rejected before training.
        result: Result of the training; None if it was not trained.
    """

    coder: str
    candidate: Candidate
    reasons: tuple[Reason, ...]
    note: str
    faults: tuple[Fault, ...]
    result: TrialResult | None

    @property
    def best(self) -> CurvePoint | None:
        """The best round of a completed training run; None if it did not complete."""
        ended = self.result is not None and self.result.status != "failed"
        return self.result.best if ended and self.result else None

    @property
    def complaints(self) -> tuple[Fault, ...]:
        """All faults found before and during training."""
        fault = self.result.fault if self.result else None
        return (*self.faults, fault) if fault else self.faults

    @property
    def costs(self) -> Costs | None:
        """Costs of all rounds together; None if no round was completed."""
        if self.result is None or not self.result.curve:
            return None
        curve = self.result.curve
        return Costs(
            bytes_up=sum(point.bytes_up for point in curve),
            bytes_down=sum(point.bytes_down for point in curve),
            simulated_s=curve[-1].simulated_s,
            wall_s=curve[-1].wall_s,
        )


class RunReport(_Frozen):
    """The report of a run; written to ``report.json``.

    Attributes:
        run: Name of the run.
        purpose: The person's description of the purpose.
        stop: Why the run ended.
        engine: Training engine.
        seed: Seed of the run.
        link: The simulated link and device.
        data: The data card.
        reading: What was read of a folder of images and what was not; None for other data.
        trials: All proposals, oldest first.
        best: Number of the best trial; 0 if none was completed.
        test: Its score on the test split, measured once; None without a best trial.
        tool: Id of the installed card; empty if none was installed.
        placement: What became of the model, and why.
        cautions: What limits the result, in sentences for a person.
    """

    run: str
    purpose: str
    stop: str
    engine: Engine
    seed: int
    link: LinkSpeed
    data: DataCard
    trials: tuple[TrialReport, ...]
    best: int
    test: ModelScore | None
    tool: str = ""
    placement: str = ""
    cautions: tuple[str, ...] = ()
    reading: DataSummary | None = None

    @property
    def best_trial(self) -> TrialReport | None:
        """The trial with the number ``best``."""
        return next((t for t in self.trials if t.result and t.result.number == self.best), None)


def write_report(run: RunFolder, report: RunReport) -> None:
    """Write a report atomically."""
    write_file(_path(run), report.model_dump_json(indent=2).encode())


def read_report(run: RunFolder) -> RunReport:
    """Read the report of a run.

    Raises:
        NotFoundError: There is no such run, or it has not ended (``no_report``).
    """
    try:
        return RunReport.model_validate_json(read_file(_path(run), _MAX_REPORT_BYTES))
    except (InputError, ValidationError):
        name = run.root.name
        if run.intent.exists():
            raise NotFoundError(
                f"the run {name!r} was interrupted; to continue: edgewright train --resume {name}",
                code="no_report",
            ) from None
        raise NotFoundError(
            f"there is no finished run {name!r}; 'edgewright runs list' shows the runs",
            code="no_report",
        ) from None


def _path(run: RunFolder) -> Path:
    return run.root / "report.json"
