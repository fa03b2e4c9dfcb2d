from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.protocol import Attempt, Coder, Proposal, TrainingProblem
from edgewright.graphs.federated.context import TrainingContext, TrainingServices
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import RoundScored, TrialEvent, TrialProgress
from edgewright.tools.federated.records.report import RunReport, write_report
from edgewright.tools.federated.records.trial import (
    CheckedFacts,
    CurvePoint,
    ModelFacts,
    ModelScore,
    TrialRequest,
    TrialResult,
)
from edgewright.tools.federated.trials.check import CheckResult
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits

FACTS = ModelFacts(parameters=1000, weight_bytes=4000, flop_per_sample=1e6)
CARD = DataCard(
    name="digits", height=8, width=8, channels=1, original_side=8, classes=("a", "b"), train=100,
    validation=1000, test=50, partition="iid",
    clients=(ClientCard(samples=50, histogram=(25, 25)),) * 2,
    balance=1.0, label_skew=0.0, size_skew=1.0,
)  # fmt: skip


def curve(accuracy: float, wall_s: float = 1.0) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(
            round_number=number, train_loss=0.1, train_accuracy=value,
            validation=ModelScore(accuracy=value, loss=0.1, clients=(value, value)),
            bytes_up=10, bytes_down=10, simulated_s=float(number), wall_s=wall_s * number / 2,
        )
        for number, value in enumerate((accuracy / 2, accuracy), start=1)
    )  # fmt: skip


@dataclass
class Bench:
    """A backend that trains nothing: each trial ends with the next accuracy or fault."""

    outcomes: list[float | Fault] = field(default_factory=lambda: [0.9])
    refusals: list[tuple[Fault, ...]] = field(default_factory=list)
    wall_s: float = 1.0
    trained: list[TrialRequest] = field(default_factory=list)
    tested: list[int] = field(default_factory=list)
    prepared: list[DataRequest] = field(default_factory=list)
    replaced: list[bool] = field(default_factory=list)
    progress: list[TrialEvent] = field(
        default_factory=lambda: [
            TrialProgress(number=1, event="client", round=1, client=0),
            RoundScored(number=1, point=curve(0.9)[0]),
        ]
    )
    interrupt: BaseException | None = None

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        del run
        self.prepared.append(request)
        return CARD

    def check(self, candidate: Candidate, card: DataCard, limits: SandboxLimits) -> CheckResult:
        del candidate, card, limits
        faults = self.refusals.pop(0) if self.refusals else ()
        return CheckResult(faults, None if faults else CheckedFacts(sha256="ab" * 32, model=FACTS))

    def train(
        self, run: RunFolder, request: TrialRequest, on_event: Callable[[TrialEvent], None]
    ) -> TrialResult:
        del run
        if self.interrupt is not None:
            error, self.interrupt = self.interrupt, None
            raise error
        self.trained.append(request)
        for event in self.progress:
            on_event(event)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Fault):
            return TrialResult(
                number=request.number, status="failed", fault=outcome, engine=request.engine,
                sandbox="sandlock", seed=request.seed,
            )  # fmt: skip
        return TrialResult(
            number=request.number, status="finished", engine=request.engine, sandbox="sandlock",
            seed=request.seed, facts=FACTS, curve=curve(outcome, self.wall_s), best_round=2,
            weights_sha256="ab" * 32,
        )  # fmt: skip

    def test(self, run: RunFolder, number: int) -> ModelScore:
        del run
        self.tested.append(number)
        return ModelScore(accuracy=0.8, loss=0.1, clients=(0.8, 0.8))

    def publish(self, run: RunFolder, report: RunReport, *, replace: bool) -> RunReport:
        self.replaced.append(replace)
        done = report.model_copy(update={"tool": "digit-classifier" if report.best else ""})
        run.root.mkdir(parents=True, exist_ok=True)
        write_report(run, done)
        return done


class Stubborn:
    """A coder that always proposes the same candidate."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        return EmbeddedCoder().propose(problem, [])


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def context_of() -> Callable[..., TrainingContext]:
    def make(bench: Bench, coder: Coder | None = None) -> TrainingContext:
        return TrainingContext(
            services=TrainingServices(coder=coder or EmbeddedCoder(), backend=bench)
        )

    return make


@pytest.fixture
def stubborn() -> Stubborn:
    return Stubborn()
