"""A tracked quantity settles, stays calm, and follows a jump."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.offload.tracking import Tracked


def test_a_guess_is_replaced_and_a_belief_is_weighed() -> None:
    guess, belief = Tracked(1.0), Tracked(1.0, error=0.2)
    for tracked in (guess, belief):
        tracked.see(1.3)
    assert guess.value == pytest.approx(1.3)
    assert 1.2 < belief.value < 1.3


def test_noise_is_averaged_out() -> None:
    chance, tracked, errors = random.Random(1), Tracked(10.0), []
    for _ in range(200):
        tracked.see(10 * chance.lognormvariate(0, 0.07))
        errors.append(abs(tracked.value / 10 - 1))
    assert sum(errors[20:]) / len(errors[20:]) < 0.05


@given(st.floats(0.02, 50).filter(lambda factor: not 0.7 < factor < 1.4))
def test_a_jump_is_believed_at_once(factor: float) -> None:
    tracked = Tracked(10.0)
    for _ in range(10):
        assert not tracked.see(10.0)
    assert tracked.see(10 * factor)
    assert tracked.value == pytest.approx(10 * factor, rel=0.1)


def test_what_says_little_shakes_little() -> None:
    tracked = Tracked(10.0)
    for _ in range(5):
        tracked.see(10.0)
    tracked.see(15.0, noise=0.7, usual=0.7)
    assert tracked.value == pytest.approx(10, rel=0.02)
