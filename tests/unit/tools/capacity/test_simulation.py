"""Simulated users: queues as their closed forms say, and decisions by the policy."""

import pytest

from edgewright.tools.capacity.paper_profile import paper_profile
from edgewright.tools.capacity.response import Queue
from edgewright.tools.capacity.scenario import make_scenario
from edgewright.tools.capacity.simulation import Simulation
from edgewright.tools.errors import InputError

pytest.importorskip("simpy")


def scenario(rate, *, servers=1, sites=1, device_tflops=0.5, slowdown=1.0, **demand):
    """Return edge servers that take 0.1 s for what a device does in 0.2 s."""
    return make_scenario({
        "users": 500,
        "requests_per_user_per_s": rate / 500,
        "demand": {"gflops": 100, "input_kb": 1, **demand},
        "tiers": {"edge": {
            "gpu": {"memory_gb": 1, "tflops": 1}, "servers": servers, "sites": sites,
            "efficiency": 1, "rtt_ms": 5,
        }},
        "devices": {"any": {
            "gpu": {"memory_gb": 1, "tflops": device_tflops}, "rate_kb_per_s": 1000,
            "efficiency": 1, "slowdown": slowdown,
        }},
    })  # fmt: skip


def test_a_queue_responds_as_its_closed_form_says():
    outcome = Simulation(scenario(12, servers=2), seed=2, rule="offload").run(1200)
    edge = outcome.tiers["edge"]
    queue = Queue(edge.requests / 1140, edge.mean_service_ms / 1000, 2, 1.0)
    overhead_ms = 5 + 2  # round trip, and two kilobytes
    assert edge.mean_ms == pytest.approx(1000 * queue.mean_s + overhead_ms, rel=0.03)
    assert edge.p95_ms == pytest.approx(1000 * queue.quantile_s(0.95) + overhead_ms, rel=0.05)
    assert edge.utilisation == pytest.approx(0.6, rel=0.03)


def test_the_same_seed_gives_the_same_outcome():
    first, second = (Simulation(scenario(5), seed=3).run(90) for _ in range(2))
    assert first == second


def test_the_policy_spares_an_overloaded_server():
    # The server could do ten a second.
    busy = scenario(16, scv=0.1)
    outcomes = {
        rule: Simulation(busy, seed=1, rule=rule).run(180)
        for rule in ("policy", "offload", "device")
    }
    kinds = outcomes["policy"].arms
    assert kinds["device-only"] > 0 < kinds["edge-only"]
    assert outcomes["policy"].tiers["edge"].utilisation < 1
    assert outcomes["offload"].mean_ms > 5 * outcomes["policy"].mean_ms


@pytest.mark.parametrize(("rate", "most"), [(4, 0.85), (8, 0.98), (16, 1.02), (32, 1.03)])
def test_devices_that_come_together_lose_nothing_by_it(rate, most):
    # They all read the same load, which lags ten seconds behind; the server could do ten a second.
    asked = scenario(rate, scv=0.1)
    policy, device = (
        Simulation(asked, seed=4, rule=rule).run(400).mean_ms for rule in ("policy", "device")
    )
    assert policy < most * device


def test_the_policy_learns_that_devices_are_slower_than_on_paper():
    # By its profile a device takes 50 ms, which is less than the server's 107; really it takes 250.
    slow = scenario(2, device_tflops=2, slowdown=5.0, scv=0.0)
    outcome = Simulation(slow, seed=1).run(180)
    assert outcome.arms["edge-only"] > 0.8 * outcome.requests


def test_a_cut_is_chosen_where_it_pays():
    # Half of the work on the device saves sending a megabyte.
    cut = scenario(1, input_kb=1000, scv=0.0, cuts=[{"share": 0.2, "kb": 5}])
    assert set(Simulation(cut, seed=1).run(90).arms) == {"co-inference"}


def test_devices_are_needed():
    without = scenario(1).model_copy(update={"devices": {}})
    with pytest.raises(InputError, match="devices"):
        Simulation(without)


def test_measured_profiles_take_the_place_of_those_on_paper():
    # On paper the server takes 100 ms and the device 200.
    asked = scenario(0.5, scv=0.0)
    hardware = asked.tiers["edge"].gpu
    slow = paper_profile(asked.demand, hardware, 1 / 1.5)
    fast = paper_profile(asked.demand, hardware, 4.0)
    paper = Simulation(asked, seed=1).run(120)
    assert set(paper.arms) == {"edge-only"}
    measured = Simulation(asked, seed=1, profiles={"edge": slow}).run(120)
    assert measured.tiers["edge"].mean_service_ms == pytest.approx(150)
    quick = Simulation(asked, seed=1, profiles={"edge": slow, "any": fast}).run(120)
    assert set(quick.arms) == {"device-only"}
    assert quick.mean_ms == pytest.approx(25, rel=0.05)


def test_one_policy_weighs_the_servers_of_all_tiers():
    asked = scenario(8, scv=0.1)
    near = asked.tiers["edge"]
    far = near.model_copy(update={"rtt_ms": 40.0})
    both = asked.model_copy(update={"tiers": {"edge": near, "cloud": far}})
    outcome = Simulation(both, seed=1).run(300)
    # The nearer one is taken until it is busy.
    assert outcome.tiers["edge"].requests > outcome.tiers["cloud"].requests > 0
    assert outcome.mean_ms < Simulation(asked, seed=1).run(300).mean_ms


def test_tasks_of_one_device_leave_one_after_the_other():
    # One user asks about twice a second; a megabyte takes a second to leave.
    asked = scenario(2, input_kb=1000, scv=0.0, device_tflops=0.001)
    alone = asked.model_copy(update={"users": 1, "requests_per_user_per_s": 0.02})
    busy = asked.model_copy(update={"users": 1, "requests_per_user_per_s": 0.8})
    quiet_ms = Simulation(alone, seed=1).run(3000).mean_ms
    assert quiet_ms == pytest.approx(1000 + 100 + 5 + 1, rel=0.05)
    assert Simulation(busy, seed=1).run(3000).mean_ms > 2 * quiet_ms
