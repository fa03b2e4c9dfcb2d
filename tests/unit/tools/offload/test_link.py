"""The link estimate converges, follows changes and withstands jitter."""

import random

import pytest

from edgewright.tools.offload.link import LinkEstimator, ProbeTimes


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def send(
    estimator: LinkEstimator, kb: float, *, rate: float, rtt: float, jitter: float = 0.0
) -> None:
    duration_ms = (rtt + kb * 1000 / rate) * (1 + jitter)
    estimator.observe(round(kb * 900), round(kb * 100), duration_ms)


def test_starts_with_the_prior() -> None:
    state = LinkEstimator(250, 30).state()
    assert (state.rate_kb_per_s, state.rtt_ms, state.samples, state.up) == (250, 30, 0, True)


@pytest.mark.parametrize("rate", [25.0, 100.0, 1000.0, 20_000.0])
@pytest.mark.parametrize("rtt", [1.0, 20.0, 150.0])
def test_two_transfers_are_enough(rate: float, rtt: float) -> None:
    estimator = LinkEstimator(300, 40)
    send(estimator, 0.01, rate=rate, rtt=rtt)
    send(estimator, 60, rate=rate, rtt=rtt)
    state = estimator.state()
    assert state.samples == 2
    assert state.rtt_ms == pytest.approx(rtt, rel=0.5)
    forecast_ms = state.rtt_ms + 60_000 / state.rate_kb_per_s
    assert forecast_ms == pytest.approx(rtt + 60_000 / rate, rel=0.15)


@pytest.mark.parametrize(("before", "after"), [(1000, 50), (50, 1000), (100, 400)])
def test_three_transfers_settle_a_sudden_change(before: float, after: float) -> None:
    estimator = LinkEstimator(before, 10)
    for _ in range(4):
        send(estimator, 0.1, rate=before, rtt=10)
        send(estimator, 9, rate=before, rtt=10)
    for _ in range(3):
        send(estimator, 9, rate=after, rtt=10)
    assert estimator.state().rate_kb_per_s == pytest.approx(after, rel=0.2)


def test_jitter_has_little_effect() -> None:
    estimator, generator = LinkEstimator(100, 20), random.Random(1)
    for _ in range(40):
        send(
            estimator,
            generator.choice([0.3, 5, 9, 40]),
            rate=200,
            rtt=15,
            jitter=generator.random() / 10,
        )
        state = estimator.state()
    assert state.rate_kb_per_s == pytest.approx(200, rel=0.2)
    assert state.rtt_ms == pytest.approx(16, rel=0.2)


def test_a_single_delay_is_soon_forgotten() -> None:
    estimator = LinkEstimator(200, 10)
    for _ in range(3):
        send(estimator, 10, rate=200, rtt=10)
    estimator.observe(10_000, 0, 600)
    for _ in range(3):
        send(estimator, 10, rate=200, rtt=10)
    assert estimator.state().rate_kb_per_s == pytest.approx(200, rel=0.1)


def test_a_round_trip_is_never_longer_than_a_whole_transfer() -> None:
    estimator = LinkEstimator(200, 500)
    estimator.observe(8000, 500, 40)
    assert estimator.state().rtt_ms <= 40


def test_impossible_times_are_harmless() -> None:
    estimator = LinkEstimator(200, 10)
    estimator.observe(0, 0, -3)
    estimator.observe(10_000, 0, 0)
    state = estimator.state()
    assert state.rtt_ms > 0
    assert 0 < state.rate_kb_per_s < float("inf")


def test_a_failure_is_followed_by_a_pause_that_grows_and_ends() -> None:
    clock = Clock()
    estimator = LinkEstimator(200, 10, clock=clock)
    pauses = []
    for _ in range(8):
        assert estimator.state().up
        estimator.failed()
        assert not estimator.state().up
        started = clock.now
        while not estimator.state().up:
            clock.now += 0.25
        pauses.append(clock.now - started)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_calls_that_fail_together_count_once() -> None:
    clock = Clock()
    estimator = LinkEstimator(200, 10, clock=clock)
    for _ in range(5):
        estimator.failed()
    clock.now += 1.0
    assert estimator.state().up


def test_a_success_ends_the_pause_and_resets_it() -> None:
    clock = Clock()
    estimator = LinkEstimator(200, 10, clock=clock)
    estimator.failed()
    clock.now += 1
    estimator.failed()
    estimator.observe(5000, 500, 40)
    assert estimator.state().up
    estimator.failed()
    clock.now += 1.0
    assert estimator.state().up


def test_short_transfers_on_a_slow_link_include_sending_time() -> None:
    estimator = LinkEstimator(25, 40)
    for _ in range(3):
        send(estimator, 9, rate=25, rtt=40)
        send(estimator, 1.3, rate=25, rtt=40)
    assert estimator.state().rtt_ms == pytest.approx(40, rel=0.2)
    assert estimator.state().rate_kb_per_s == pytest.approx(25, rel=0.1)


def probe(
    estimator: LinkEstimator,
    *,
    rate: float,
    rtt: float,
    generator: random.Random | None = None,
    jitter: float = 0.1,
) -> float:
    """Probe a link with 500 bytes of headers per exchange; return the duration."""

    def duration_ms(size: int) -> float:
        factor = generator.uniform(1 - jitter, 1 + jitter) if generator else 1.0
        return rtt * factor + (500 + size) / rate

    empty_ms = duration_ms(0)
    payload_bytes = estimator.payload_bytes(empty_ms)
    loaded_ms = duration_ms(payload_bytes)
    estimator.observe_probe(ProbeTimes(empty_ms, loaded_ms, payload_bytes, headers=500))
    return empty_ms + loaded_ms


@pytest.mark.parametrize(("rate", "rtt"), [(1000, 20), (1000, 150), (100, 60)])
def test_probes_of_a_fast_link_change_its_rate_little(rate: float, rtt: float) -> None:
    """Two kilobytes take two milliseconds; the round trip's jitter is at least as large."""
    estimator, generator = LinkEstimator(rate, rtt), random.Random(2)
    for _ in range(5):
        send(estimator, 80, rate=rate, rtt=rtt)
    for _ in range(10):
        probe(estimator, rate=rate, rtt=rtt, generator=generator)
    assert estimator.state().rate_kb_per_s == pytest.approx(rate, rel=0.25)


@pytest.mark.parametrize(("before", "after"), [(100, 40), (900, 380), (700, 145)])
def test_one_probe_of_a_steady_link_detects_a_step(before: float, after: float) -> None:
    """The smaller the jitter so far, the more a single probe is trusted."""
    estimator, generator = LinkEstimator(before, 30), random.Random(1)
    for _ in range(10):
        probe(estimator, rate=before, rtt=30, jitter=0.01, generator=generator)
    probe(estimator, rate=after, rtt=60, jitter=0.01, generator=generator)
    assert estimator.state().rate_kb_per_s == pytest.approx(after, rel=0.3)


def test_a_single_delay_requests_another_probe_and_is_then_forgotten() -> None:
    estimator = LinkEstimator(47, 20)
    for _ in range(10):
        assert not estimator.observe_probe(ProbeTimes(20, 60, 1880, headers=500))
    assert estimator.observe_probe(ProbeTimes(20, 87, 1880, headers=500))
    assert estimator.state().rate_kb_per_s < 35
    estimator.observe_probe(ProbeTimes(20, 60, 1880, headers=500))
    assert estimator.state().rate_kb_per_s == pytest.approx(47, rel=0.1)


@pytest.mark.parametrize(("before", "after"), [(1000, 25), (25, 1000), (20_000, 1), (25, 100)])
def test_two_probes_detect_a_step(before: float, after: float) -> None:
    estimator = LinkEstimator(before, 10)
    for _ in range(4):
        probe(estimator, rate=before, rtt=10)
        send(estimator, 40, rate=before, rtt=10)
    for _ in range(2):
        probe(estimator, rate=after, rtt=10)
    assert estimator.state().rate_kb_per_s == pytest.approx(after, rel=0.35)


@pytest.mark.parametrize("seed", range(20))
def test_a_busy_machine_does_not_hide_that_a_link_became_fast(seed: int) -> None:
    """Jitter exceeds the payload's time, but exchanges cannot be shorter than their bytes take."""
    estimator, generator = LinkEstimator(250, 30), random.Random(seed)

    def duration_ms(rate: float, size: int) -> float:
        return 1 + generator.expovariate(1 / 8) + (500 + size) / rate

    for rate in (20_000,) * 8 + (1,) * 4 + (20_000,):
        empty_ms = duration_ms(rate, 0)
        payload_bytes = estimator.payload_bytes(empty_ms)
        estimator.observe_probe(
            ProbeTimes(empty_ms, duration_ms(rate, payload_bytes), payload_bytes, headers=500)
        )
    assert estimator.state().rate_kb_per_s > 20


def test_probes_recover_a_fast_link() -> None:
    estimator = LinkEstimator(1, 10)
    for _ in range(2):
        probe(estimator, rate=20_000, rtt=2)
    assert estimator.state().rate_kb_per_s > 5_000
    assert estimator.state().rtt_ms == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("rate", [1.0, 5.0, 25.0, 100.0, 1000.0])
def test_a_probe_of_a_slow_link_takes_little_longer_than_two_empty_exchanges(rate: float) -> None:
    estimator = LinkEstimator(1000, 10)  # initially assumed to be fast
    empty_ms = 10 + 500 / rate
    for _ in range(3):
        assert probe(estimator, rate=rate, rtt=10) - 2 * empty_ms <= max(128 / rate, 85)


def test_the_age_is_that_of_the_last_success() -> None:
    clock = Clock()
    estimator = LinkEstimator(200, 10, clock=clock)
    clock.now += 3
    estimator.failed()
    assert estimator.age_s == 3
    estimator.observe(5000, 500, 40)
    assert estimator.age_s == 0


@pytest.mark.parametrize("rate", [25.0, 100.0, 400.0, 1000.0])
@pytest.mark.parametrize("rtt", [4.0, 20.0, 60.0])
def test_after_the_first_probes_one_transfer_fixes_a_wrong_rate(rate: float, rtt: float) -> None:
    """The order in which a device meets its peer: probes, then the transfer of a profile."""
    estimator, generator = LinkEstimator(1000, 20), random.Random(4)
    for _ in range(3):
        probe(estimator, rate=rate, rtt=rtt, generator=generator, jitter=0.05)
    for size_kb in (30, 3, 9):
        send(estimator, size_kb, rate=rate, rtt=rtt + 500 / rate)
        assert estimator.state().rate_kb_per_s == pytest.approx(rate, rel=0.1)
