"""The report of a run: what was tried, what came of it, and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, ValidationError

from edgewright.tools.errors import NotFoundError
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


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Frozen):
    """Which words led to which choice."""

    words: str
    choice: str
    reason: str


class Costs(TypedDict):
    """Bytes to and from all clients, seconds on the link clock and seconds here."""

    bytes_up: int
    bytes_down: int
    simulated_s: float
    wall_s: float


class TrialReport(_Frozen):
    """One proposal and what became of it.

    Attributes:
        coder: Who wrote it.
        candidate: Its code and values.
        reasons: Which words led to which choice.
        note: What a person should know of how it came about.
        faults: Why it was refused before training.
        result: What training gave; None if it was not trained.
    """

    coder: str
    candidate: Candidate
    reasons: tuple[Reason, ...]
    note: str
    faults: tuple[Fault, ...]
    result: TrialResult | None

    @property
    def best(self) -> CurvePoint | None:
        """The best round of a training that came to its end; None for any other."""
        ended = self.result is not None and self.result.status != "failed"
        return self.result.best if ended and self.result else None

    @property
    def complaints(self) -> tuple[Fault, ...]:
        """All that was wrong with it, before and in training."""
        fault = self.result.fault if self.result else None
        return (*self.faults, fault) if fault else self.faults

    @property
    def costs(self) -> Costs | None:
        """What training took, over all its rounds; None if no round came to its end."""
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
    """All of a run; written to ``report.json``.

    Attributes:
        run: Its name.
        purpose: In the person's words.
        stop: Why it ended.
        engine: Where it trained.
        seed: Its seed.
        link: The simulated link and device.
        data: The data card.
        trials: All proposals, oldest first.
        best: Number of the best training; 0 if none came to its end.
        test: Its score on the test split, taken once; None if there is no best.
        tool: Id of the card that it was installed as; empty if it was not.
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

    @property
    def best_trial(self) -> TrialReport | None:
        """The trial that ``best`` names."""
        return next((t for t in self.trials if t.result and t.result.number == self.best), None)


def write_report(run: RunFolder, report: RunReport) -> None:
    """Write a report; it is there whole or not at all."""
    write_file(_path(run), report.model_dump_json(indent=2).encode())


def read_report(run: RunFolder) -> RunReport:
    """Read the report of a run.

    Raises:
        NotFoundError: There is none: no such run, or it has not ended (``no_report``).
    """
    try:
        return RunReport.model_validate_json(_path(run).read_text("utf-8"))
    except (OSError, ValidationError):
        raise NotFoundError(
            f"no report of a run {run.root.name!r}; 'edgewright runs list' shows the runs, and "
            f"'edgewright train --resume {run.root.name}' goes on with one that was broken off",
            code="no_report",
        ) from None


def _path(run: RunFolder) -> Path:
    return run.root / "report.json"
