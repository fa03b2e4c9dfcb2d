"""A model's load, measured from its calls."""

import random

import numpy as np
import pytest

from edgewright.tools.offload.load import WINDOW_S, ArrivalWindow, LoadMeter


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def _poisson(meter: LoadMeter, clock: Clock, *, rate: float, seconds: float) -> None:
    generator, until = random.Random(3), clock.now + seconds
    while clock.now < until:
        clock.now += generator.expovariate(rate)
        meter.arrived()
        meter.served(generator.choice([0.01, 0.03]))


def test_nothing_is_known_before_the_first_call_was_served() -> None:
    meter = LoadMeter()
    meter.arrived()
    assert meter.load() is None


def test_poisson_arrivals_are_measured() -> None:
    clock = Clock()
    meter = LoadMeter(servers=2, clock=clock)
    _poisson(meter, clock, rate=30, seconds=20)
    load = meter.load()
    assert load is not None
    assert load.arrivals_per_s == pytest.approx(30, rel=0.2)
    assert load.arrival_scv == pytest.approx(1, abs=0.3)
    assert load.service_ms == pytest.approx(20, rel=0.2)
    assert load.service_scv == pytest.approx(0.25, rel=0.3)
    assert load.utilisation == pytest.approx(0.3, rel=0.3)


def test_regular_arrivals_are_distinguished_from_random_ones() -> None:
    clock = Clock()
    window = ArrivalWindow(clock=clock)
    assert window.scv() == 1
    for _ in range(200):
        clock.now += 0.05
        window.arrived()
    assert window.rate_per_s() == pytest.approx(20, rel=0.02)
    assert window.scv() < 0.1


def test_regularity_is_that_of_the_gaps_in_the_window_however_many_have_passed() -> None:
    clock, generator, kept = Clock(), random.Random(5), []
    window = ArrivalWindow(clock=clock)
    for _ in range(20_000):
        clock.now += generator.expovariate(20) * generator.choice([0.2, 3])
        kept.append(clock.now)
        window.arrived()
    gaps = np.diff([moment for moment in kept if moment >= clock.now - WINDOW_S])
    observed = gaps.var() / gaps.mean() ** 2
    assert window.scv() == pytest.approx((len(gaps) * observed + 10) / (len(gaps) + 10), rel=1e-6)


def test_a_load_that_ended_is_forgotten_and_the_service_time_is_not() -> None:
    clock = Clock()
    meter = LoadMeter(clock=clock)
    _poisson(meter, clock, rate=30, seconds=10)
    clock.now += WINDOW_S + 0.1
    load = meter.load()
    assert load is not None
    assert load.arrivals_per_s == 0
    assert load.service_ms > 0


def test_a_flood_is_measured_although_not_all_of_it_is_stored() -> None:
    clock = Clock()
    window = ArrivalWindow(clock=clock)
    for _ in range(5000):
        clock.now += 0.001
        window.arrived()
    assert window.rate_per_s() == pytest.approx(1000, rel=0.02)
