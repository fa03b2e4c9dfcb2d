"""Capacity on paper: quantiles, numbers of servers, and the published example."""

import math

import pytest

from edgewright.tools.capacity.estimate import estimate
from edgewright.tools.capacity.published import readings
from edgewright.tools.capacity.response import Queue, phases
from edgewright.tools.capacity.scenario import load_scenario, make_scenario
from edgewright.tools.errors import InputError, OverloadedError, RefusedError


def scenario(**tier):
    """Return 1,000 users who ask ten times a second, of GPUs that take 0.1 s."""
    return {
        "users": 1000,
        "requests_per_user_per_s": 0.01,
        "demand": {"gflops": 100, "memory_gb": 10},
        "tiers": {"edge": {"gpu": {"memory_gb": 16, "tflops": 1}, "efficiency": 1, **tier}},
    }


def test_the_response_of_a_single_server_is_exponential():
    queue = Queue(5, 0.1, 1, 1.0)
    assert queue.mean_s == pytest.approx(0.2)
    assert queue.quantile_s(0.95) == pytest.approx(-0.2 * math.log(0.05))


def test_without_waiting_the_response_is_the_service():
    assert Queue(1e-9, 0.1, 4, 1.0).quantile_s(0.5) == pytest.approx(0.1 * math.log(2), rel=1e-4)
    assert Queue(1e-9, 0.1, 4, 0.0).quantile_s(0.95) == pytest.approx(0.1, rel=1e-4)


def test_the_mean_is_the_integral_of_the_distribution():
    for scv in (0.0, 0.5, 1.0, 4.0):
        queue = Queue(14, 0.1, 2, scv)
        step = 1e-3
        total = sum(queue.exceeds((place + 0.5) * step) * step for place in range(20_000))
        assert total == pytest.approx(queue.mean_s, rel=2e-3)


@pytest.mark.parametrize("scv", [0.0, 0.3, 1.0, 5.0])
def test_phases_have_the_requested_moments(scv):
    found = phases(2.0, scv)
    mean = sum(share * (shift + mean) for share, shift, mean in found)
    square = sum(share * ((shift + mean) ** 2 + mean**2) for share, shift, mean in found)
    assert mean == pytest.approx(2.0)
    assert square / mean**2 - 1 == pytest.approx(scv)


def test_as_few_servers_as_the_target_allows():
    busy = {"users": 5000, "p95_ms": 320}
    needed = estimate(make_scenario(scenario() | busy)).tiers["edge"]
    assert needed.p95_ms <= 320
    assert needed.utilisation <= 0.9
    fewer = scenario(servers=needed.servers - 1) | busy
    assert estimate(make_scenario(fewer)).tiers["edge"].p95_ms > 320
    with pytest.raises(OverloadedError):
        estimate(make_scenario(scenario(servers=1) | busy))


def test_separate_sites_need_more_than_one_large_one():
    values = {**scenario(), "p95_ms": 400}
    split = {**scenario(sites=5), "p95_ms": 400}
    assert estimate(make_scenario(split)).servers > estimate(make_scenario(values)).servers


def test_a_model_larger_than_a_gpu_takes_several():
    values = scenario(gpu={"memory_gb": 4, "tflops": 1}, gpus_per_server=8)
    one = estimate(make_scenario(values)).tiers["edge"]
    assert (one.gpus_per_unit, one.jobs_per_gpu) == (3, 0)
    assert one.service_ms == pytest.approx(100 / 3)
    # Two copies fit on a server's eight GPUs.
    assert one.units == 2 * one.servers or one.servers == 1


def test_reading_memory_can_take_longer_than_computing():
    values = scenario(gpu={"memory_gb": 16, "tflops": 1, "gb_per_s": 10})
    values["demand"]["read_gb"] = 5
    assert estimate(make_scenario(values)).tiers["edge"].service_ms == pytest.approx(500)


def test_energy_counts_idle_gpus():
    gpu = {"memory_gb": 16, "tflops": 1, "watts": 100, "idle_watts": 20}
    one = estimate(make_scenario(scenario(gpu=gpu, servers=2))).tiers["edge"]
    # One of the two is busy on average: ten requests of 0.1 s a second.
    assert one.kilowatts == pytest.approx(0.12)
    assert one.joules_per_request == pytest.approx(12)


def test_what_no_number_of_servers_can_do_is_refused():
    with pytest.raises(RefusedError, match="even an idle one"):
        estimate(make_scenario({**scenario(rtt_ms=500), "p95_ms": 400}))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"users": 0}, "users"),
        ({"tiers": {"edge": {"gpu": "abacus"}}}, "a100"),
        ({"tiers": {"a": {"gpu": "l4", "share": 0.7}, "b": {"gpu": "l4", "share": 0.7}}}, "1.4"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_scenario_is_named(changes, part):
    with pytest.raises(InputError, match=part):
        make_scenario({**scenario(), **changes})


def test_a_scenario_is_read_from_a_file(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("users: [")
    with pytest.raises(InputError, match="not YAML"):
        load_scenario(path)


def test_the_published_example_recomputed():
    found = {(one.tier, one.reading): one for one in readings()}
    assert found["cloud", "as published"].rate_per_s == pytest.approx(23_816, rel=1e-4)
    assert found["edge", "as published"].rate_per_s == pytest.approx(9_160, rel=1e-4)
    assert found["cloud", "its formula: pooled memory"].servers == 285
    assert found["edge", "its formula: pooled memory"].servers == 9
    assert found["cloud", "whole jobs, sharing a GPU"].servers == 200
    assert found["edge", "whole jobs, sharing a GPU"].servers == 8
    published = {tier: found[tier, "as published"].utilisation for tier in ("cloud", "edge")}
    assert published["edge"] > 7 * published["cloud"]
    tokens = found["cloud", "answers of 500 tokens"]
    assert tokens.mean_ms is None
    assert tokens.servers_needed > 6_000
