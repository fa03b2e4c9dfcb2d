"""The simulation of many users against closed forms, its speed, and the policy against fixed rules.

Closed forms get the arrival rate and the mean service time that a simulation really had, so that
only the queue is compared. They are exact for M/M/c, and for the mean of M/G/1.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.tools.capacity.outcome import Outcome
from edgewright.tools.capacity.published import readings
from edgewright.tools.capacity.response import Queue
from edgewright.tools.capacity.scenario import Scenario, load_scenario, make_scenario
from edgewright.tools.capacity.simulation import Rule, Simulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Servers, load, and squared coefficient of variation of the services.
CASES = (
    (1, 0.5, 1.0), (1, 0.7, 1.0), (2, 0.7, 1.0), (4, 0.8, 1.0), (16, 0.9, 1.0), (64, 0.9, 1.0),
    (1, 0.7, 0.0), (1, 0.6, 3.0),
)  # fmt: skip
LIMIT = 0.02
REQUESTS, REQUESTS_QUICK = 300_000, 20_000
#: Seconds of a service, servers of all queues of a case, and seconds that are not counted.
_SERVICE_S, _SERVERS, _WARM_UP_S = 0.1, 64, 20.0
_SCENARIO = Path(__file__).resolve().parents[2] / "examples" / "capacity.yaml"
#: The scenario of the example, as many times as large.
_TIMES = 5
_HOUR_S, _COMPARED_S = 3600.0, 900.0
_RULES: tuple[Rule, ...] = ("policy", "offload", "device")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a simulated mean or quantile differs from its closed form by more than
        ``LIMIT``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few requests, no large simulation")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    requests = REQUESTS_QUICK if options.quick else REQUESTS
    queues = [compare(*case, requests) for case in CASES]
    example = load_scenario(_SCENARIO)
    compared_s = 120.0 if options.quick else _COMPARED_S
    figures = {
        "limit": LIMIT,
        "queues": queues,
        "rules": {rule: simulate(example, compared_s, rule) for rule in _RULES},
        "large": None if options.quick else simulate(larger(example, _TIMES), _HOUR_S, "policy"),
        "published": [one.model_dump() for one in readings()],
    }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    write_results(options.out, "capacity", figures, markdown, lambda axes: _draw(axes, queues))
    return int(max(abs(error) for one in queues for error in one["errors"].values()) > LIMIT)


def compare(servers: int, load: float, scv: float, requests: int) -> dict[str, Any]:
    """Simulate queues whose closed form is known.

    Args:
        servers: Servers of each queue.
        load: Share of time that they are busy.
        scv: Squared coefficient of variation of the services.
        requests: Requests to simulate.
    """
    log(f"{servers} servers, load {load:g}, SCV {scv:g}")
    arrivals, queues = load * servers / _SERVICE_S, max(1, _SERVERS // servers)
    scenario = make_scenario({
        "users": 10_000,
        "requests_per_user_per_s": arrivals * queues / 10_000,
        "demand": {"gflops": 1000 * _SERVICE_S, "scv": scv, "input_kb": 1},
        "tiers": {"edge": {
            "gpu": {"memory_gb": 1, "tflops": 1}, "gpus_per_server": servers, "servers": 1,
            "sites": queues, "efficiency": 1,
        }},
        "devices": {"any": {"gpu": {"memory_gb": 1, "tflops": 0.01}, "rate_kb_per_s": 1e9}},
    })  # fmt: skip
    seconds = _WARM_UP_S + requests / (arrivals * queues)
    simulation = Simulation(scenario, seed=servers, rule="offload", warm_up_s=_WARM_UP_S)
    found = simulation.run(seconds).tiers["edge"]
    rate = found.requests / (seconds - _WARM_UP_S) / queues
    queue = Queue(rate, found.mean_service_ms / 1000, servers, scv)
    expected = {
        "mean_ms": 1000 * queue.mean_s,
        "p50_ms": 1000 * queue.quantile_s(0.5),
        "p95_ms": 1000 * queue.quantile_s(0.95),
    }
    # Only the mean is exact for other services than exponential ones.
    exact = expected if scv == 1 else {"mean_ms": expected["mean_ms"]}
    measured = found.model_dump()
    return {
        "servers": servers,
        "load": load,
        "scv": scv,
        "requests": found.requests,
        "mean_wait_ms": found.mean_wait_ms,
        "expected_wait_ms": 1000 * queue.mean_wait_s,
        "expected": expected,
        "simulated": {name: measured[name] for name in expected},
        "errors": {name: measured[name] / value - 1 for name, value in exact.items()},
    }


def larger(scenario: Scenario, times: int) -> Scenario:
    """Return a scenario with several times the users, sites and servers of the cloud."""
    tiers = {
        name: tier.model_copy(
            update={"sites": tier.sites * times}
            if tier.sites > 1
            else {"servers": (tier.servers or 1) * times}
        )
        for name, tier in scenario.tiers.items()
    }
    return scenario.model_copy(update={"users": scenario.users * times, "tiers": tiers})


def simulate(scenario: Scenario, seconds: float, rule: Rule) -> dict[str, Any]:
    """Simulate a scenario, and measure what the simulation costs.

    Args:
        scenario: The scenario.
        seconds: Simulated seconds.
        rule: Who decides.
    """
    log(f"{scenario.users} users for {seconds:g} s, {rule}")
    began_s, wall_s = time.process_time(), time.monotonic()
    found: Outcome = Simulation(scenario, seed=1, rule=rule).run(seconds)
    return {
        "users": scenario.users,
        "sites": max(tier.sites for tier in scenario.tiers.values()),
        "seconds": seconds,
        "processor_s": time.process_time() - began_s,
        "wall_s": time.monotonic() - wall_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        **found.model_dump(),
    }


def _markdown(figures: dict[str, Any]) -> str:
    rows = [
        [
            one["servers"], f"{one['load']:g}", f"{one['scv']:g}", one["requests"],
            f"{one['simulated']['mean_ms']:.2f}", f"{one['errors']['mean_ms']:+.2%}",
            *(f"{one['simulated'][name] / one['expected'][name] - 1:+.2%}"
              + ("" if one["scv"] == 1 else " (approximate)") for name in ("p50_ms", "p95_ms")),
        ]
        for one in figures["queues"]
    ]  # fmt: skip
    text = (
        "Simulated queues against their closed forms: M/M/c, and M/G/1 with constant services (SCV "
        "0) and irregular ones (SCV 3), whose quantiles are approximations.\n\n"
        + table(
            ["servers", "load", "SCV", "requests", "mean ms", "error", "p50 error", "p95 error"],
            rows,
        )
    )
    rules = [
        [
            rule, one["requests"], f"{one['mean_ms']:.0f}", f"{one['p95_ms']:.0f}",
            f"{one['p99_ms']:.0f}", ", ".join(
                f"{name} {tier['requests'] / one['requests']:.0%}"
                for name, tier in one["tiers"].items()
            ),
        ]
        for rule, one in figures["rules"].items()
    ]  # fmt: skip
    text += (
        "\nThe scenario of `examples/capacity.yaml`, decided by the offloading policy, by always "
        "offloading to where it is quickest without load, and by never offloading:\n\n"
    )
    text += table(["rule", "requests", "mean ms", "p95 ms", "p99 ms", "where"], rules)
    if large := figures["large"]:
        text += (
            f"\n{large['users']:,} users and {large['sites']:,} edge servers for an hour, "
            f"{large['requests']:,} requests decided by the policy: {large['processor_s']:.0f} s "
            f"of one core, {large['peak_mb']:.0f} MB; mean {large['mean_ms']:.0f} ms, p95 "
            f"{large['p95_ms']:.0f} ms.\n"
        )
    return text


def _draw(axes: Axes, queues: Sequence[dict[str, Any]]) -> None:
    names = [f"{one['servers']} servers\nload {one['load']:g}\nSCV {one['scv']:g}"
             for one in queues]  # fmt: skip
    places = range(len(queues))
    axes.bar(places, [one["expected"]["mean_ms"] for one in queues], color="lightgrey",
             label="closed form")  # fmt: skip
    axes.plot(places, [one["simulated"]["mean_ms"] for one in queues], "o", color="black",
              label="simulated")  # fmt: skip
    axes.set_xticks(list(places), names, fontsize=7)
    axes.set_ylabel("mean response time, ms")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
