"""Worded training problems, solved by the embedded coder and by plain FedAvg.

The words of each problem state one constraint. The design must satisfy it and hold every number in
the words, and be at least as good as plain FedAvg on the metric that the constraint is about. Both
get one trial for each seed; the metric is averaged over the seeds.
"""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.design import plain_candidate
from edgewright.agents.fl_coder.protocol import Attempt, Coder, Proposal, TrainingProblem
from edgewright.benchmarks.common.progress import log
from edgewright.graphs.federated.context import TrainingContext, TrainingServices
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.graphs.federated.training_backend import LocalTrainingBackend
from edgewright.tools.federated.records.candidate import ROBUST, Candidate, FedAvgM
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport
from edgewright.tools.federated.records.trial import LinkSpeed, ModelScore, TrialResult
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.sandbox.limits import SandboxLimits

#: Constraints that the words state, and limits that they set.
Stated = Kind | Literal["rounds", "participation", "bytes", "total-bytes", "memory", "proximal"]
Figure = Literal["accuracy", "worst-client", "bytes", "seconds", "epsilon"]
#: Bytes and seconds count until accuracy is this close to the control's best.
NEARLY = 0.05
#: Seeds of a metric, if more than one: the worst client may have only twenty test samples.
SEEDS: dict[Figure, int] = {"worst-client": 5}
_LIMITS = SandboxLimits(time_s=6 * 3600)
_PLAIN = "plain FedAvg"


class WordedProblem(BaseModel):
    """A problem from the file.

    Attributes:
        name: Name of the problem.
        kind: What the words state.
        words: The person's request.
        data: Training data.
        figure: Metric that the constraint is about.
        link: Simulated link and device.
        hostile: Clients whose labels are all wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Stated
    words: str
    data: DataRequest
    figure: Figure
    link: LinkSpeed = LinkSpeed()
    hostile: tuple[int, ...] = ()


class ProblemOutcome(BaseModel):
    """The result of a problem.

    Attributes:
        name: Name of the problem.
        kind: Its constraint.
        figure: Metric that is compared.
        answered: Whether the design satisfies the constraint.
        ours: Metric of the coder's design; None if the accuracy was never reached.
        control: Metric of plain FedAvg; None where it gives no guarantee.
        as_well: Whether ours is at least as good; accuracies within one standard error are equal.
        accuracy: Test accuracy of the design.
        control_accuracy: Test accuracy of plain FedAvg.
        choices: The coder's choices, in its own words.
    """

    name: str
    kind: Stated
    figure: Figure
    answered: bool
    ours: float | None
    control: float | None
    as_well: bool
    accuracy: float
    control_accuracy: float
    choices: str


def load_problems(path: Path | None = None) -> list[WordedProblem]:
    """Read worded problems.

    Args:
        path: A file in the form of ``worded.yaml``, which is the default.
    """
    source = path or files("edgewright.benchmarks.federated") / "worded.yaml"
    return [
        WordedProblem.model_validate(each) for each in yaml.safe_load(source.read_text("utf-8"))
    ]


def answers(candidate: Candidate, kind: Stated, control: Candidate) -> bool:
    """Return whether a design responds to a constraint.

    Args:
        candidate: The design.
        kind: The constraint.
        control: Plain FedAvg for the same data.
    """
    smaller = candidate.model != control.model or candidate.compression.name != "none"
    steadier = isinstance(candidate.strategy, FedAvgM) or candidate.proximal > 0
    return {
        "skew": steadier and candidate.local_epochs <= control.local_epochs,
        "noise": steadier and candidate.label_smoothing > 0,
        "weak-devices": candidate.model != control.model,
        "thin-links": candidate.compression.name != "none",
        "attackers": candidate.strategy.name in ROBUST,
        "privacy": candidate.private,
        "personal": candidate.personal_head,
        "rounds": candidate.rounds < control.rounds,
        "participation": candidate.participation < 1,
        "bytes": smaller,
        "total-bytes": smaller,
        "memory": candidate.model != control.model,
        "proximal": candidate.proximal > 0,
    }[kind]


def holds(problem: WordedProblem, trial: TrialReport) -> bool:
    """Return whether a trial held every number that a problem's words state."""
    promises = read_promises(problem.words, problem.data.clients)
    facts = trial.result.facts if trial.result else None
    return not broken(trial.candidate, promises, problem.data.clients, facts)


async def solve(problem: WordedProblem, *, workers: int = 1) -> ProblemOutcome:
    """Solve a problem with the coder and with plain FedAvg, and compare.

    Args:
        problem: The problem.
        workers: Parallel trainings.
    """
    seeds = range(SEEDS.get(problem.figure, 1))
    free = asyncio.Semaphore(workers)
    runs = [
        _run(problem, coder, seed, design, free)
        for coder, design in ((EmbeddedCoder(), "the coder's design"), (_PlainCoder(), _PLAIN))
        for seed in seeds
    ]
    reports = await asyncio.gather(*runs)
    ours, control = reports[: len(seeds)], reports[len(seeds) :]
    levels = [
        max(point.validation.accuracy for point in _best(each).curve) - NEARLY for each in control
    ]
    figures = [_mean_figure(problem.figure, each, levels) for each in (ours, control)]
    best = [_best_trial(each) for each in ours]
    return ProblemOutcome(
        name=problem.name,
        kind=problem.kind,
        figure=problem.figure,
        answered=all(
            answers(trial.candidate, problem.kind, plain_candidate(each.data))
            and holds(problem, trial)
            for trial, each in zip(best, ours, strict=True)
        ),
        ours=figures[0],
        control=figures[1],
        as_well=_as_good(problem.figure, *figures, samples=sum(each.data.test for each in ours))
        and all(_best(each).status == "finished" for each in ours),
        accuracy=statistics.fmean(_test(each).accuracy for each in ours),
        control_accuracy=statistics.fmean(_test(each).accuracy for each in control),
        choices="; ".join(reason.choice for reason in best[0].reasons),
    )


async def _run(
    problem: WordedProblem, coder: Coder, seed: int, design: str, free: asyncio.Semaphore
) -> RunReport:
    async with free:
        log(f"{problem.name}, seed {seed}: {design} begins")
        report = await _trained(problem, coder, seed)
        log(f"{problem.name}, seed {seed}: {design} has ended")
    return report


async def _trained(problem: WordedProblem, coder: Coder, seed: int) -> RunReport:
    backend = _BenchmarkBackend(problem.hostile)
    settings = TrainSettings(trials=1, seed=seed, link=problem.link, limits=_LIMITS)
    data = problem.data.model_copy(update={"seed": seed})
    async with open_run(
        TrainingContext(services=TrainingServices(coder=coder, backend=backend))
    ) as run:
        return await run.begin(problem.words, data, settings, approve=_refuse_questions)


def _refuse_questions(question: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError(f"a benchmark answers no questions: {question}")


class _PlainCoder:
    """The control: proposes plain FedAvg, whatever the request."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Return plain FedAvg."""
        del attempts
        return Proposal(candidate=plain_candidate(problem.card), coder="person")


class _BenchmarkBackend(LocalTrainingBackend):
    """The local backend, with wrong labels at some clients.

    Args:
        hostile: Clients whose labels are all wrong.
    """

    def __init__(self, hostile: Sequence[int]) -> None:
        self._hostile = hostile

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        """Prepare the data, and replace every label of a hostile client by the next class."""
        card = super().prepare(request, run)
        labels = np.load(run.data / "train_labels.npy")
        clients = np.load(run.data / "train_clients.npy")
        hostile_samples = np.isin(clients, self._hostile)
        labels[hostile_samples] = (labels[hostile_samples] + 1) % len(card.classes)
        np.save(run.data / "train_labels.npy", labels, allow_pickle=False)
        return card


def _best_trial(report: RunReport) -> TrialReport:
    trial = report.best_trial
    if trial is None or trial.result is None:
        faults = [fault.message for each in report.trials for fault in each.complaints]
        raise RuntimeError(f"no training finished: {faults}")
    return trial


def _best(report: RunReport) -> TrialResult:
    result = _best_trial(report).result
    assert result is not None
    return result


def _test(report: RunReport) -> ModelScore:
    assert report.test is not None
    return report.test


def _mean_figure(
    figure: Figure, reports: Sequence[RunReport], levels: Sequence[float]
) -> float | None:
    """Return the mean of a metric over seeds; None if any seed has none."""
    values = [_figure(figure, *each) for each in zip(reports, levels, strict=True)]
    available = [value for value in values if value is not None]
    return statistics.fmean(available) if len(available) == len(values) else None


def _figure(figure: Figure, report: RunReport, level: float) -> float | None:
    """Return the metric; None if its accuracy was never reached or it is not reported."""
    curve = _best(report).curve
    if figure == "accuracy":
        return _test(report).accuracy
    if figure == "worst-client":
        return _test(report).worst_client
    if figure == "epsilon":
        return curve[-1].epsilon
    total_bytes = 0
    for point in curve:
        total_bytes += point.bytes_up + point.bytes_down
        if point.validation.accuracy >= level:
            return float(total_bytes) if figure == "bytes" else point.simulated_s
    return None


def _as_good(figure: Figure, ours: float | None, control: float | None, *, samples: int) -> bool:
    if ours is None or control is None:
        return ours is not None
    if figure in ("bytes", "seconds", "epsilon"):
        return ours <= control
    return ours >= control - math.sqrt(max(control * (1 - control), 1e-4) / samples)
