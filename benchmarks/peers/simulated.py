"""The simulation of users against real servers: three of them, four devices, Poisson requests.

Run ``python -m edgewright.benchmarks.peers.simulated``. All nodes run in processes of their own
behind shaped links, slowed by stated factors so that they share two cores. The simulation gets the
profile that the nodes have, their links and the rate of the requests. As the speed of a machine
varies, it also gets by what factor each node's stages took longer than in the profile. What it has
to find are choices, waits and with them the times from request to answer.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.profiles import slowed
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.segments import Segments
from edgewright.benchmarks.peers.fleet import Fleet, Site
from edgewright.benchmarks.peers.profile import MODEL
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile, stored
from edgewright.tools.capacity.scenario import make_scenario
from edgewright.tools.capacity.simulation import Simulation
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import ModelProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A request that the rig answered: milliseconds, the place that answered it, and its stages.
Answered = tuple[float, str, dict[str, float]]

LIMIT = 0.15
_CARD, _EXPERT = "image-classification", "efficientnet-lite0-classifier"
_DEVICES, _SLOWDOWN, _IMAGE = 4, 20.0, (256, 256)
_SITES = {
    "edge": Site(role="edge", slowdown=6.0, rate_kb_per_s=1000, rtt_ms=10),
    "hall": Site(role="edge", slowdown=9.0, rate_kb_per_s=2000, rtt_ms=5),
    "cloud": Site(role="cloud", slowdown=3.0, rate_kb_per_s=500, rtt_ms=60),
}
#: Requests a second of all devices together, and seconds that each is measured.
_RATES, _SECONDS, _WARM_UP_S = (3.0, 6.0, 10.0), 100.0, 10.0
_SIMULATED_S, _SEEDS = 300.0, 5
#: Spread of the services of one model for images of one size; a timer's, not the model's.
_SERVICE_SCV = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a simulated mean differs from the measured one by more than ``LIMIT``.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of each rate")
    parser.add_argument("--resume", type=Path, help="folder with the parts measured so far")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        parts = Segments(options.resume or Path(folder))
        profile = _profile(parts.folder)
        real = asyncio.run(_measured(profile, parts, options.seconds))
    log("simulating")
    rows = [compared(profile, rate, times) for rate, times in zip(_RATES, real, strict=True)]
    markdown = _markdown(rows)
    sys.stdout.write(markdown)
    figures = {"limit": LIMIT, "profile": profile.model_dump(mode="json"), "rates": rows}
    write_results(options.out, "capacity-rig", figures, markdown, lambda axes: _draw(axes, rows))
    return int(max(abs(row["error"]) for row in rows) > LIMIT)


def _profile(folder: Path) -> ModelProfile:
    """Measure the model with images like those that are requested."""
    camera = folder / "camera"
    camera.mkdir(exist_ok=True)
    (camera / "photograph.jpg").write_bytes(photograph(_IMAGE))
    file = folder / "measured.json"
    config = NodeConfig(preload=(MODEL,), profile_file=file, camera=camera, profile_runs=9)
    profile = stored(config)
    if not profile.models:
        log("measuring the profile")
        profile = measure_profile(config)
    return profile.models[MODEL]


async def _measured(profile: ModelProfile, parts: Segments, seconds: float) -> list[list[Answered]]:
    """Return the milliseconds and the place of each request, at each rate."""
    if all(parts.has(f"rate-{rate:g}") for rate in _RATES):
        return [parts.stored(f"rate-{rate:g}") for rate in _RATES]
    log("starting the nodes")
    async with Fleet(
        profile, parts.folder, slowdown=_SLOWDOWN, sites=_SITES, devices=_DEVICES
    ) as fleet:
        return [
            await parts.measured(f"rate-{rate:g}", partial(_at, fleet, rate, seconds))
            for rate in _RATES
        ]


async def _at(fleet: Fleet, rate: float, seconds: float) -> list[Answered]:
    """Send requests at random moments to random devices, whether or not earlier ones returned."""
    log(f"{rate:g} requests a second")
    rng = random.Random(round(rate))  # noqa: S311 - moments, no secrets
    image, options = photograph(_IMAGE), InvokeOptions(expert=_EXPERT, deadline_s=30)

    async def one(number: int) -> Answered:
        began = time.perf_counter()
        response = await fleet.devices[number].invoke(_CARD, options, image)
        assert response.report is not None
        where = response.report.nodes[-1]
        place = where if where in _SITES else "device"
        took_ms = (time.perf_counter() - began) * 1000
        return took_ms, place, response.report.stages_ms

    loop = asyncio.get_running_loop()
    began = due = loop.time()
    async with asyncio.TaskGroup() as group:
        tasks = []
        while due < began + seconds:
            due += rng.expovariate(rate)
            await asyncio.sleep(max(0.0, due - loop.time()))
            task = group.create_task(one(rng.randrange(_DEVICES)))
            if due > began + _WARM_UP_S:
                tasks.append(task)
    await asyncio.sleep(3)
    return [task.result() for task in tasks]


def compared(profile: ModelProfile, rate: float, real: Sequence[Answered]) -> dict[str, Any]:
    """Simulate a rate, and compare it with what the rig took.

    Args:
        profile: The model's profile on this machine.
        rate: Requests a second.
        real: Milliseconds and place of each real request.
    """
    gpu = {"memory_gb": 1, "tflops": 1}  # what is measured takes its place
    scenario = make_scenario({
        "users": _DEVICES,
        "requests_per_user_per_s": rate / _DEVICES,
        "demand": {"gflops": 1, "scv": _SERVICE_SCV},
        "tiers": {
            name: {"gpu": gpu, "servers": 1, "rtt_ms": site.rtt_ms,
                   "rate_kb_per_s": site.rate_kb_per_s}
            for name, site in _SITES.items()
        },
        "devices": {"device": {"gpu": gpu, "rate_kb_per_s": 1e6}},
    })  # fmt: skip
    slower = factors(profile, real)
    profiles = {
        name: slowed(profile, site.slowdown * slower.get(name, slower["servers"]))
        for name, site in _SITES.items()
    }
    profiles["device"] = slowed(profile, _SLOWDOWN * slower["device"])
    outcomes = [
        Simulation(scenario, seed=seed, warm_up_s=_WARM_UP_S, profiles=profiles, learn_every=1).run(
            _SIMULATED_S
        )
        for seed in range(_SEEDS)
    ]
    simulated_ms = statistics.fmean(one.mean_ms for one in outcomes)
    times = [ms for ms, _, _ in real]
    places = Counter(place for _, place, _ in real)
    total = sum(one.requests for one in outcomes)
    counts = {
        name: sum(one.tiers[name].requests for one in outcomes if name in one.tiers)
        for name in ("device", *_SITES)
    }
    return {
        "rate_per_s": rate,
        "requests": len(times),
        "mean_ms": statistics.fmean(times),
        "p95_ms": float(np.quantile(times, 0.95)),
        "standard_error_ms": statistics.stdev(times) / len(times) ** 0.5,
        "simulated_mean_ms": simulated_ms,
        "simulated_p95_ms": statistics.fmean(one.p95_ms for one in outcomes),
        "error": simulated_ms / statistics.fmean(times) - 1,
        "factors": slower,
        "shares": {name: places[name] / len(times) for name in counts},
        "simulated_shares": {name: count / total for name, count in counts.items()},
    }


def factors(profile: ModelProfile, real: Sequence[Answered]) -> dict[str, float]:
    """Return by what factor stages took longer than in the profile: on each server and the device.

    Args:
        profile: The model's profile on this machine.
        real: The requests.
    """
    camera = profile.decoding[0]
    input_ms = camera.ms(camera.pixels, camera.bytes) + profile.preprocess_ms
    whole_ms = profile.normalise_ms + profile.tail_ms(0) + profile.postprocess_ms
    served: dict[str, list[float]] = {}
    for _, place, stages in real:
        here = stages.get("decode", 0.0) + stages.get("preprocess", 0.0)
        if place == "device":
            continue
        served.setdefault("device", []).append(here / (_SLOWDOWN * input_ms))
        if (ms := stages.get("edge_whole", 0.0)) > 0:
            expected_ms = _SITES[place].slowdown * (whole_ms - profile.normalise_ms)
            served.setdefault(place, []).append(ms / expected_ms)
    found = {name: statistics.fmean(each) for name, each in served.items()}
    servers = [found[name] for name in _SITES if name in found]
    return {"device": 1.0, "servers": statistics.fmean(servers) if servers else 1.0, **found}


def _markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    sites = ", ".join(
        f"{name} slowed {site.slowdown:g} times at {site.rtt_ms:g} ms and "
        f"{site.rate_kb_per_s:g} KB/s"
        for name, site in _SITES.items()
    )
    cells = [
        [
            f"{row['rate_per_s']:g}", row["requests"],
            f"{row['mean_ms']:.0f} ± {1.96 * row['standard_error_ms']:.0f}",
            f"{row['simulated_mean_ms']:.0f}", f"{row['error']:+.1%}",
            f"{row['p95_ms']:.0f}", f"{row['simulated_p95_ms']:.0f}",
            _shares(row["shares"]), _shares(row["simulated_shares"]),
        ]
        for row in rows
    ]  # fmt: skip
    columns = [
        "requests a second", "requests", "mean ms", "simulated", "error", "p95 ms", "simulated",
        "where", "simulated",
    ]  # fmt: skip
    return (
        f"{_DEVICES} devices slowed {_SLOWDOWN:g} times and three servers, in processes of their "
        f"own: {sites}. EfficientNet-Lite0, Poisson requests, the policy of a node on both "
        "sides.\n\n" + table(columns, cells)
    )


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.0%} {name}" for name, share in shares.items() if share >= 0.005)


def _draw(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    rates = [row["rate_per_s"] for row in rows]
    for name, words in (("mean_ms", "mean"), ("p95_ms", "95th percentile")):
        (line,) = axes.plot(
            rates, [row[f"simulated_{name}"] for row in rows], label=f"{words}, simulated"
        )
        axes.plot(rates, [row[name] for row in rows], "o", color=line.get_color(), label=words)
    axes.set_xlabel("requests a second")
    axes.set_ylabel("ms")
    axes.set_ylim(0)
    axes.set_title("Simulation and three real servers")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
