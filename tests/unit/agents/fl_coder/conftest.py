from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from edgewright.agents.fl_coder.protocol import Attempt, Proposal
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore, TrialResult
from edgewright.tools.sandbox.faults import Fault

MakeCard = Callable[..., DataCard]
MakeAttempt = Callable[..., Attempt]


@pytest.fixture
def make_card() -> MakeCard:
    def make(
        clients: int = 10,
        *,
        samples: int = 120,
        side: int = 8,
        channels: int = 1,
        skew: float = 0.0,
    ) -> DataCard:
        classes = tuple(str(digit) for digit in range(10))
        client = ClientCard(samples=samples, histogram=(samples // 10,) * 10)
        return DataCard(
            name="digits", height=side, width=side, channels=channels, original_side=side,
            classes=classes, train=clients * samples, validation=300, test=300, partition="iid",
            clients=(client,) * clients, balance=1.0, label_skew=skew, size_skew=1.0,
        )  # fmt: skip

    return make


def points(
    accuracy: Sequence[float],
    train: Sequence[float | None] | None = None,
    *,
    spread: float = 0.02,
    loss: float = 0.3,
) -> tuple[CurvePoint, ...]:
    """Return a curve with given validation and training accuracies."""
    return tuple(
        CurvePoint(
            round_number=number,
            train_loss=0.3,
            train_accuracy=train[number - 1] if train else value,
            validation=ModelScore(
                accuracy=value, loss=loss, clients=(value - spread, value + spread)
            ),
            bytes_up=1000,
            bytes_down=1000,
            simulated_s=float(number),
            wall_s=float(number),
        )
        for number, value in enumerate(accuracy, start=1)
    )


@pytest.fixture
def make_curve() -> Callable[..., tuple[CurvePoint, ...]]:
    return points


@pytest.fixture
def make_attempt() -> MakeAttempt:
    def make(
        candidate: Candidate,
        accuracy: Sequence[float] = (),
        *,
        number: int = 1,
        coder: str = "embedded",
        faults: tuple[Fault, ...] = (),
        fault: Fault | None = None,
    ) -> Attempt:
        proposal = Proposal(candidate=candidate, coder=coder)
        if faults:
            return Attempt(proposal=proposal, faults=faults)
        curve = points(accuracy)
        best = max(curve, key=lambda p: p.validation.accuracy).round_number if curve else 0
        return Attempt(
            proposal=proposal,
            result=TrialResult(
                number=number, status="failed" if fault else "finished", fault=fault,
                engine="in-process", sandbox="sandlock", seed=0, curve=curve, best_round=best,
            ),
        )  # fmt: skip

    return make
