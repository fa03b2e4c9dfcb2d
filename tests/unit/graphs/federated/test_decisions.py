"""When a run ends, by stored curves alone."""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.design import plain_candidate
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.protocol import Attempt, Proposal, TrainingProblem
from edgewright.graphs.federated.cautions import cautions
from edgewright.graphs.federated.decisions import stop_reason, too_long
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore, TrialResult

CARD = DataCard(
    name="parts", height=28, width=28, channels=1, original_side=28, classes=tuple("abcd"),
    train=800, validation=200, test=100, partition="iid", balance=1.0, label_skew=0.0,
    size_skew=1.0, clients=(ClientCard(samples=200, histogram=(50,) * 4),) * 4,
)  # fmt: skip
RISE = (0.5, 0.75, 0.9, 0.96, 0.99)
PATIENT = TrainSettings(trials=9, patience=9, time_s=1e6)


def attempt(accuracy, *, train=None, wall_s=10.0, number=1, **score) -> Attempt:
    points = tuple(
        CurvePoint(
            round_number=index, train_loss=0.1, train_accuracy=(train or accuracy)[index - 1],
            validation=ModelScore(
                **{"accuracy": value, "loss": 0.1, "clients": (value,) * 4, **score}
            ),
            bytes_up=10, bytes_down=10, simulated_s=index, wall_s=wall_s * index / len(accuracy),
        )
        for index, value in enumerate(accuracy, start=1)
    )  # fmt: skip
    best = max(points, key=lambda point: point.validation.rank).round_number
    candidate = plain_candidate(CARD).model_copy(update={"rounds": 10 + number})
    return Attempt(
        proposal=Proposal(candidate=candidate, coder="embedded"),
        result=TrialResult(
            number=number, status="finished", engine="in-process", sandbox="sandlock", seed=0,
            curve=points, best_round=best,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("curve", "train", "stop"),
    [
        ((0.7, 0.9, 1.0), None, "perfect"),
        ((0.7, 1.0, 0.99), None, "perfect"),
        (RISE, (1.0,) * 5, "gain"),  # 0.3 % of the images could be gained, 0.7 % are chance
        ((0.6, 0.7, 0.75, 0.76, 0.76), (0.6, 0.7, 0.8, 0.8, 0.8), None),
        ((0.25, 0.25, 0.25), None, None),  # did not learn: worth another trial
    ],
)
def test_a_trial_that_can_gain_nothing_is_not_begun(curve, train, stop):
    assert stop_reason([attempt(curve, train=train)], PATIENT, CARD) == stop


def test_a_target_is_named_before_perfection():
    settings = TrainSettings(target=0.95)
    assert stop_reason([attempt((0.9, 1.0))], settings, CARD) == "target"


def test_each_trial_without_a_gain_lowers_the_forecast():
    first = attempt((0.6, 0.8, 0.88, 0.9, 0.9), train=(0.6, 0.8, 0.9, 0.92, 0.93))
    assert stop_reason([first], PATIENT, CARD) is None
    same = [first] * 2
    assert stop_reason([*same, first], PATIENT, CARD) == "gain"


def test_a_client_left_behind_is_worth_another_trial():
    lone = attempt((0.9, 0.97, 0.97), clients=(1.0, 1.0, 1.0, 0.0))
    assert stop_reason([lone], PATIENT, CARD) is None
    problem = TrainingProblem(purpose="tell parts apart", card=CARD)
    start = EmbeddedCoder().propose(problem, [])
    tried = lone.model_copy(update={"proposal": start})
    assert EmbeddedCoder().propose(problem, [tried]).candidate.personal_head


def test_memorised_noise_is_answered_by_less_of_it():
    noisy = attempt((0.5, 0.65, 0.6, 0.55, 0.5), train=(0.5, 0.6, 0.7, 0.8, 0.9))
    problem = TrainingProblem(purpose="tell parts apart", card=CARD)
    start = EmbeddedCoder().propose(problem, [])
    tried = noisy.model_copy(update={"proposal": start})
    candidate = EmbeddedCoder().propose(problem, [tried]).candidate
    assert candidate.rounds < start.candidate.rounds
    assert (candidate.proximal, candidate.label_smoothing) == (0.1, 0.2)


def test_no_trial_is_proposed_that_outlasts_the_time():
    slow = attempt((0.6, 0.7, 0.75, 0.76, 0.76), train=(0.6, 0.7, 0.8, 0.8, 0.8), wall_s=30.0)
    problem = TrainingProblem(purpose="tell parts apart", card=CARD, time_left_s=70.0)
    start = EmbeddedCoder().propose(problem, [])
    tried = slow.model_copy(update={"proposal": start})
    proposed = EmbeddedCoder().propose(problem, [tried]).candidate
    assert 30.0 * effort(proposed) / effort(start.candidate) <= 70.0
    settings = TrainSettings(time_s=100.0)
    longer = start.candidate.model_copy(update={"rounds": start.candidate.rounds * 4})
    assert too_long(longer, [tried], settings)
    assert not too_long(proposed, [tried], settings)
    assert not too_long(longer, [], settings)


def test_noisy_validation_labels_and_lone_clients_are_said():
    noisy = attempt((0.6, 0.68), suspect_labels=0.3)
    (caution,) = cautions(noisy, [noisy], CARD)
    assert "30% of the validation labels look wrong" in caution
    assert cautions(attempt((0.6, 0.7), suspect_labels=0.05), [], CARD) == ()
    lone = attempt((0.9, 0.9), clients=(1.0, 1.0, 1.0, 0.0))
    (caution,) = cautions(lone, [lone], CARD)
    assert "client 3 is right on 0% only" in caution
    personal = lone.proposal.candidate.model_copy(update={"personal_head": True})
    tried = attempt((0.9, 0.9), clients=(0.9, 0.9, 0.9, 0.73))
    tried = tried.model_copy(update={"proposal": Proposal(candidate=personal, coder="embedded")})
    (caution,) = cautions(lone, [lone, tried], CARD)
    assert "personal heads reached 73% there" in caution
