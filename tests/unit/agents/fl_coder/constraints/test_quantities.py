from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.agents.fl_coder.constraints.amounts.features import encoded
from edgewright.agents.fl_coder.constraints.amounts.reader import read_amounts
from edgewright.agents.fl_coder.constraints.budget import PrivacyBudget, read_budget
from edgewright.agents.fl_coder.constraints.hostile import Hostile, read_hostile
from edgewright.agents.fl_coder.constraints.limits import read_limits
from edgewright.agents.fl_coder.constraints.places import sentences


def budget_of(text: str) -> PrivacyBudget | None:
    split = sentences(text)
    return read_budget(read_amounts(encoded(split), 20), split)


def hostile_of(text: str, clients: int) -> Hostile | None:
    return read_hostile(read_amounts(encoded(sentences(text)), clients), clients)


@pytest.mark.parametrize(
    ("text", "epsilon", "delta"),
    [
        ("epsilon must stay below 4", 4, None),
        ("with epsilon = 2.5 and delta 1e-6", 2.5, 1e-6),
        ("an (8, 1e-5) guarantee", 8, 1e-5),
        ("ε ≤ 3, δ = 10^-5", 3, 1e-5),
        ("a privacy budget of epsilon 6", 6, None),
        ("privacy loss of at most 2", 2, None),
        ("epsilon must not exceed 10", 10, None),
        ("the privacy loss may never be larger than 3", 3, None),
        ("keep epsilon: no more than 4, with delta below 1e-4", 4, 1e-4),
        ("delta of 0.00001", None, 1e-5),
    ],
)
def test_a_budget_is_read(text, epsilon, delta):
    budget = budget_of(text)
    assert budget is not None
    assert budget.epsilons == ((epsilon,) if epsilon else ())
    assert budget.delta == (pytest.approx(delta) if delta else None)
    assert budget.words


@pytest.mark.parametrize("text", ["", "ten clinics", "28 x 28 pixels", "privacy matters"])
def test_no_budget_is_invented(text):
    assert budget_of(text) is None


@pytest.mark.parametrize(
    ("words", "clients", "hostile"),
    [
        ("one of the ten may be hostile", 10, 1),
        ("up to two devices may be under foreign control", 10, 2),
        ("20 % of the clients are malicious", 10, 2),
        ("3 of our partners cheat", 10, 3),
        ("thirteen of our partners may cheat", 30, 13),
        ("some clients may be malicious", 10, None),
        ("ten clients, all hostile", 10, None),
        ("f <= 3 Byzantine", 20, 3),
        ("n = 25, f = 4 Byzantine", 25, 4),
        ("99 % accuracy under attack", 10, None),
        ("99 % accuracy with up to 3 of 15 hostile", 15, 3),
    ],
)
def test_the_number_of_hostile_clients(words, clients, hostile):
    found = hostile_of(words, clients)
    assert (found and found.count) == hostile


@settings(deadline=None)  # a network runs in each example
@given(st.text(max_size=200), st.integers(2, 50))
def test_any_text_can_be_read(text, clients):
    budget_of(text)
    hostile = hostile_of(text, clients)
    assert hostile is None or (hostile.count or 0) >= 1


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("The job is killed after 02:30:00, so training must end by then.", 9000),
        ("Start the training at 8 a.m. and be done by noon.", 14400),
        ("Train from 22:30 to 6:00.", 27000),
        ("Training may take 1 hour and 30 minutes.", 5400),
        ("Training may take 1h45.", 6300),
        ("Training may take an hour, 30 clients notwithstanding.", 3600),
        ("The shop opens at 9:00; training may take an hour.", 3600),
    ],
)
def test_times_are_read_from_clocks_too(words: str, seconds: float) -> None:
    limits = {each.quantity: each.value for each in read_limits(words)}
    assert limits["seconds"] == seconds


@pytest.mark.parametrize(
    ("words", "epsilon"),
    [("DP with epsilon 1,5", 1.5), ("DP with eps = 0,25", 0.25), ("DP with epsilon 1.5", 1.5)],
)
def test_a_decimal_comma_is_read(words: str, epsilon: float) -> None:
    budget = budget_of(words)
    assert budget is not None and budget.epsilons == (epsilon,)


def test_a_comma_that_separates_thousands_is_read() -> None:
    limits = {each.quantity: each.value for each in read_limits("at most 1,200,000 parameters")}
    assert limits["memory"] == 4 * 1_200_000
