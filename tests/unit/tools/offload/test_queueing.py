"""Erlang's formulas equal exact values and have the expected properties."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.errors import InputError, OverloadedError
from edgewright.tools.offload.queueing import erlang_b, erlang_c, mean_response_s, mean_wait_s

traffic = st.floats(0.001, 500, allow_nan=False)
servers = st.integers(1, 400)


def exact_erlang_c(count: int, offered: int) -> Fraction:
    """Return Erlang C from its definition, in fractions."""
    term, total = Fraction(1), Fraction(0)
    for busy in range(count):
        total += term
        term = term * offered / (busy + 1)
    queued = term * count / (count - offered)
    return queued / (total + queued)


@pytest.mark.parametrize(
    ("count", "offered", "published"),
    [
        (2, 1, 1 / 3),
        (3, 2, 4 / 9),
        (8, 7, 0.635316017536),
        (100, 90, 0.216940480906),
        (285, 270, 0.268593950781),
    ],
)
def test_erlang_c_has_all_its_digits(count: int, offered: int, published: float) -> None:
    exact = float(exact_erlang_c(count, offered))
    assert erlang_c(count, offered) == pytest.approx(exact, rel=0, abs=1e-12)
    assert erlang_c(count, offered) == pytest.approx(published, rel=0, abs=1e-12)


def test_erlang_b_against_its_definition() -> None:
    terms = [Fraction(3) ** n / math.factorial(n) for n in range(6)]
    assert erlang_b(5, 3) == pytest.approx(float(terms[5] / sum(terms)), abs=1e-15)


@given(servers, traffic)
def test_more_servers_block_fewer_arrivals(count: int, offered: float) -> None:
    few, many = erlang_b(count, offered), erlang_b(count + 1, offered)
    assert 0 <= many <= few <= 1


@given(servers, st.floats(0.001, 0.999))
def test_more_arrivals_wait_than_would_be_blocked(count: int, load: float) -> None:
    waiting = erlang_c(count, load * count)
    assert erlang_b(count, load * count) <= waiting <= 1
    assert erlang_c(count + 1, load * count) <= waiting + 1e-12


@given(st.floats(0.001, 0.99), st.floats(0.001, 10))
def test_one_server_is_the_textbook_queue(load: float, service_s: float) -> None:
    arrivals_per_s = load / service_s
    assert erlang_c(1, load) == pytest.approx(load)
    expected = service_s / (1 - load)
    assert mean_response_s(arrivals_per_s, service_s) == pytest.approx(expected)
    constant = mean_wait_s(arrivals_per_s, service_s, service_scv=0)
    assert constant == pytest.approx(mean_wait_s(arrivals_per_s, service_s) / 2)


@given(servers, st.floats(0.001, 0.98), st.floats(0.0, 4.0))
def test_waiting_grows_with_load_and_with_variation(count: int, load: float, scv: float) -> None:
    light = mean_wait_s(load * count, 1.0, count, service_scv=scv)
    assert mean_wait_s((load + 0.01) * count, 1.0, count, service_scv=scv) >= light
    assert mean_wait_s(load * count, 1.0, count, service_scv=scv + 1) >= light >= 0


def test_a_simulated_queue_agrees() -> None:
    """Poisson arrivals at one server with uniform service times, by Lindley's recursion."""
    generator, arrivals_per_s, wait_s, total_s, count = random.Random(4), 6.0, 0.0, 0.0, 200_000
    for _ in range(count):
        total_s += wait_s
        wait_s = max(
            0.0, wait_s + generator.uniform(0.0, 0.2) - generator.expovariate(arrivals_per_s)
        )
    expected = mean_wait_s(arrivals_per_s, 0.1, service_scv=1 / 3)
    assert total_s / count == pytest.approx(expected, rel=0.03)


def test_no_traffic_waits_for_nothing() -> None:
    assert erlang_b(3, 0) == erlang_c(3, 0) == mean_wait_s(0, 1.0) == 0
    assert mean_response_s(5, 0.0) == 0


@pytest.mark.parametrize("offered", [2.0, 2.5, 1000.0])
def test_a_load_of_one_or_more_is_refused(offered: float) -> None:
    with pytest.raises(OverloadedError, match="below 1") as raised:
        erlang_c(2, offered)
    assert raised.value.info().code == "load_too_high"
    with pytest.raises(OverloadedError):
        mean_response_s(offered, 1.0, 2)


@pytest.mark.parametrize(("count", "offered"), [(0, 1.0), (2, -1.0), (2, math.inf), (2, math.nan)])
def test_invalid_traffic_is_refused(count: int, offered: float) -> None:
    with pytest.raises(InputError) as raised:
        erlang_b(count, offered)
    assert raised.value.info().code == "invalid_traffic"
