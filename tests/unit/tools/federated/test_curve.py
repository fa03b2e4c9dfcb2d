"""The curve's best round."""

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import (
    CurvePoint,
    ModelFacts,
    ModelScore,
    TrialRequest,
)
from edgewright.tools.federated.trials.curve import Curve


def point(number: int, accuracy: float, loss: float) -> CurvePoint:
    return CurvePoint(
        round_number=number, train_loss=0.1, train_accuracy=0.9,
        validation=ModelScore(accuracy=accuracy, loss=loss, clients=(accuracy,)),
        bytes_up=1, bytes_down=1, simulated_s=1.0, wall_s=1.0,
    )  # fmt: skip


def test_of_equally_accurate_rounds_the_one_with_the_lowest_loss_is_best(
    run: RunFolder, candidate: Candidate
) -> None:
    facts = ModelFacts(parameters=1, weight_bytes=4, flop_per_sample=1.0)
    curve = Curve(run, TrialRequest(number=1, candidate=candidate), clients=5, facts=facts)
    assert (curve.best_round, curve.next_finished()) == (0, None)
    curve.points += [point(1, 0.95, 0.4), point(2, 0.95, 0.2), point(3, 0.95, 0.3)]
    assert curve.best_round == 2
    curve.points.append(point(4, 0.94, 0.1))
    assert curve.best_round == 2
