"""A tracked quantity converges, averages out noise and follows a jump."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.offload.factors import Ratio, StageFactors
from edgewright.tools.offload.tracking import LogKalmanFilter


def test_a_guess_is_replaced_and_an_estimate_is_averaged() -> None:
    guess, estimate = LogKalmanFilter(1.0), LogKalmanFilter(1.0, error=0.2)
    for tracked in (guess, estimate):
        tracked.update(1.3)
    assert guess.value == pytest.approx(1.3)
    assert 1.2 < estimate.value < 1.3


def test_noise_is_averaged_out() -> None:
    generator, tracked, errors = random.Random(1), LogKalmanFilter(10.0), []
    for _ in range(200):
        tracked.update(10 * generator.lognormvariate(0, 0.07))
        errors.append(abs(tracked.value / 10 - 1))
    assert sum(errors[20:]) / len(errors[20:]) < 0.05


@given(st.floats(0.02, 50).filter(lambda factor: not 0.7 < factor < 1.4))
def test_a_jump_is_followed_at_once(factor: float) -> None:
    tracked = LogKalmanFilter(10.0)
    for _ in range(10):
        assert not tracked.update(10.0)
    assert tracked.update(10 * factor)
    assert tracked.value == pytest.approx(10 * factor, rel=0.1)


def test_noisy_observations_have_little_effect() -> None:
    tracked = LogKalmanFilter(10.0)
    for _ in range(5):
        tracked.update(10.0)
    tracked.update(15.0, noise=0.7, expected_noise=0.7)
    assert tracked.value == pytest.approx(10, rel=0.02)


def test_what_was_learned_of_a_node_fades_while_tasks_run_elsewhere():
    factors = StageFactors(error=0.2, own_error=0.15)
    factors.update({"whole": Ratio(20.0, 10.0)})
    assert factors.of("whole") > 1.7
    for _ in range(100):
        factors.fade()
    assert factors.of("whole") < 1.1
