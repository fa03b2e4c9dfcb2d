"""End-to-end latency of every arm and of the policy, over a rate-shaped link.

Run ``python -m edgewright.benchmarks.latency.run``. Nodes run in processes of their own, the device
slowed by a stated factor; a relay between them holds the link's rate and delay; requests are a mix
of classification, captioning and question answering. The benchmark has three parts: a sweep over
the link's rate, a link whose rate jumps while the policy runs, and the replay of a recorded trace,
which compares the policy with an oracle.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.latency.replay import (
    LOADED_TIMES,
    Trace,
    record,
    replayed,
    summary,
)
from edgewright.benchmarks.latency.rig import (
    MIN_ACCURACY_RETENTION,
    MIX,
    SLOWDOWN,
    WARM_SLOWDOWN,
    Conditions,
    Rig,
    cards_drawn,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POLICY = "policy"
#: The recorded trace among the results; compressed, since it is long and only replayed.
TRACE = "latency-trace.json.gz"
#: Requests with which the policy adapts to a new rate before the sweep measures.
_SETTLING = 4
_PAUSE_S = 0.5
#: Replays of the trace, each with its own random times of change and choice of runs.
_PASSES = 20
_TWINS = (
    "The policy runs on a device process of its own, so that it learns nothing from fixed arms. "
    "Two identical processes differ by a few percent, for which the last rows correct: after the "
    "sweep, both processes run the best arm in turns."
)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The size of the benchmark."""

    rates: tuple[float, ...]
    rounds: int
    steps: tuple[float, ...]
    step_requests: int
    segments: int
    length: int
    runs: int


FULL = Extent(
    rates=(25, 50, 100, 200, 400, 700, 1000),
    rounds=20,
    steps=(1000, 50, 400, 25, 1000),
    step_requests=12,
    segments=30,
    length=8,
    runs=5,
)
QUICK = Extent(
    rates=(50, 400), rounds=2, steps=(800, 50), step_requests=4, segments=3, length=8, runs=2
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="measure little, for CI")
    parser.add_argument("--trace-alone", action="store_true", help="record and replay a trace only")
    parser.add_argument("--replay", type=Path, help="replay this recorded trace without measuring")
    options = parser.parse_args(arguments)
    if options.replay:
        trace = Trace.model_validate_json(gzip.decompress(options.replay.read_bytes()))
    else:
        extent = QUICK if options.quick else FULL
        trace = asyncio.run(_measure(extent, options.out, trace_alone=options.trace_alone))
    _report_replay(trace, options.out)
    return 0


async def _measure(extent: Extent, out: Path, *, trace_alone: bool) -> Trace:
    async with Rig(quick=extent is QUICK) as rig:
        if not trace_alone:
            await _measure_rates(rig, extent, out)
        trace = await record(rig, segments=extent.segments, length=extent.length, runs=extent.runs)
    out.mkdir(parents=True, exist_ok=True)
    (out / TRACE).write_bytes(gzip.compress(trace.model_dump_json().encode(), mtime=0))
    return trace


async def _measure_rates(rig: Rig, extent: Extent, out: Path) -> None:
    swept = [await _sweep(rig, rate, extent.rounds) for rate in extent.rates]
    _report_steps(await _steps(rig, extent), out)
    # Last, since the policy learns from it.
    for one in swept:
        one["twins_ms"] = await _twins(rig, one, 2 * extent.rounds)
    _report_sweep(swept, out)


# -- latency against rate ------------------------------------------------------------------------


async def _sweep(rig: Rig, rate: float, rounds: int) -> dict[str, Any]:
    """Run the same requests by every arm, and each time by the policy too.

    The two device processes take turns, since the caches of an idle one grow cold.
    """
    log(f"sweep: {rate:g} KB/s")
    arms = [arm for model in sorted(set(rig.models.values())) for arm in rig.arms(model)]
    times: dict[str, list[float]] = {}
    chosen: list[str] = []
    async with rig.under(Conditions(rate_kb_per_s=rate)):
        for card in cards_drawn(_SETTLING, seed=0):
            await rig.run(card, None)
        for card in cards_drawn(rounds, seed=1):
            for arm in arms:
                if arm not in rig.arms(rig.models[card]):
                    continue
                run = await rig.run(card, None)
                times.setdefault(POLICY, []).append(run.total_ms)
                chosen.append(run.arm)
                run = await rig.run(card, arm)
                times.setdefault(arm.label, []).append(run.total_ms)
    return {"rate_kb_per_s": rate, "times_ms": times, "chosen": chosen}


async def _twins(rig: Rig, swept: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    """Run the best arm on both devices in turns, since identical processes differ slightly."""
    rate = swept["rate_kb_per_s"]
    log(f"twins: {rate:g} KB/s")
    medians = _medians(swept)
    del medians[POLICY]
    label = min(medians, key=medians.__getitem__)
    times: dict[str, list[float]] = {"free": [], "fixed": []}
    async with rig.under(Conditions(rate_kb_per_s=rate)):
        for card in cards_drawn(rounds, seed=1):
            arm = next(arm for arm in rig.arms(rig.models[card]) if arm.label == label)
            for name, each in times.items():
                run = await rig.run(card, arm, on_policy_device=name == "free")
                each.append(run.total_ms)
    return times


def _medians(swept: Mapping[str, Any]) -> dict[str, float]:
    return {name: statistics.median(times) for name, times in swept["times_ms"].items()}


def _report_sweep(swept: Sequence[Mapping[str, Any]], out: Path) -> None:
    medians = [_medians(one) for one in swept]
    names = sorted(medians[0], key=lambda name: (name != POLICY, name))
    columns = ["median ms at", *(f"{one['rate_kb_per_s']:g} KB/s" for one in swept)]
    rows: list[list[object]] = [
        [name, *(f"{each[name]:.0f}" for each in medians)] for name in names
    ]
    best = [min(ms for name, ms in each.items() if name != POLICY) for each in medians]
    ratios = [each[POLICY] / best_ms for each, best_ms in zip(medians, best, strict=True)]
    twins = [
        statistics.median(one["twins_ms"]["free"]) / statistics.median(one["twins_ms"]["fixed"])
        for one in swept
    ]
    corrected = [ratio / twin for ratio, twin in zip(ratios, twins, strict=True)]
    rows.append(["policy / best arm", *(f"{ratio:.3f}" for ratio in ratios)])
    rows.append(["best arm: policy's process / other process", *(f"{twin:.3f}" for twin in twins)])
    rows.append(["policy / best arm, corrected", *(f"{ratio:.3f}" for ratio in corrected)])
    markdown = f"{_setting()} {_TWINS}\n\n{table(columns, rows)}"
    sys.stdout.write(markdown)
    rates = [one["rate_kb_per_s"] for one in swept]
    figures = {
        "setting": _setting(),
        "sweep": list(swept),
        "policy_over_best": ratios,
        "twins": twins,
        "policy_over_best_alike": corrected,
    }

    def draw(axes: Axes) -> None:
        for name in names:
            style = {"color": "black", "linewidth": 2.5} if name == POLICY else {"linewidth": 1.0}
            axes.plot(rates, [each[name] for each in medians], label=name, marker=".", **style)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("link rate, KB/s")
        axes.set_ylabel("median latency, ms")
        axes.set_title(f"Request mix, device slowed {SLOWDOWN:g} times")
        axes.legend(fontsize="xx-small")

    write_results(out, "latency", figures, markdown, draw)


def _setting() -> str:
    mix = ", ".join(f"{share:.0%} {card}" for card, _, share in MIX)
    return (
        f"Mix: {mix}. Device slowed {SLOWDOWN:g} times, round trip 20 ms. Arms that retain "
        f"{MIN_ACCURACY_RETENTION:.0%} of the accuracy and are not dominated by another."
    )


# -- a link that jumps ---------------------------------------------------------------------------


async def _steps(rig: Rig, extent: Extent) -> list[dict[str, Any]]:
    """Run the policy while the link's rate jumps."""
    requests: list[dict[str, Any]] = []
    for number, rate in enumerate(extent.steps):
        log(f"steps: {rate:g} KB/s")
        async with rig.under(Conditions(rate_kb_per_s=rate)):
            for card in cards_drawn(extent.step_requests, seed=2 + number):
                run = await rig.run(card, None)
                requests.append({"rate_kb_per_s": rate, "ms": run.total_ms, "arm": run.arm})
                await asyncio.sleep(_PAUSE_S)
    return requests


def _report_steps(requests: Sequence[Mapping[str, Any]], out: Path) -> None:
    rows = [
        [number, f"{one['rate_kb_per_s']:g}", one["arm"], f"{one['ms']:.0f}"]
        for number, one in enumerate(requests, start=1)
    ]
    markdown = table(["request", "KB/s", "arm", "ms"], rows)
    sys.stdout.write(f"\n{markdown}")
    numbers = range(1, len(requests) + 1)

    def draw(axes: Axes) -> None:
        axes.step(numbers, [one["ms"] for one in requests], where="mid", color="black")
        axes.set_yscale("log")
        axes.set_xlabel("request")
        axes.set_ylabel("latency, ms")
        rate = axes.twinx()
        rate.step(numbers, [one["rate_kb_per_s"] for one in requests], where="mid", alpha=0.4)
        rate.set_yscale("log")
        rate.set_ylabel("link rate, KB/s (blue)")
        axes.set_title("The policy on a link whose rate jumps")

    write_results(out, "latency-steps", {"requests": list(requests)}, markdown, draw)


# -- the replay ----------------------------------------------------------------------------------


def _report_replay(trace: Trace, out: Path) -> None:
    points = replayed(trace, passes=_PASSES)
    figures = summary(trace, points)
    settle = figures["requests_to_settle"]
    rows: list[list[object]] = [
        ["requests", f"{len(points) // _PASSES}, in each of {_PASSES} passes"],
        ["policy / oracle, mean", f"{figures['mean_ratio']:.3f}"],
        ["policy / oracle, p99", f"{figures['p99_ratio']:.3f}"],
        ["oracle, mean ms", f"{figures['oracle_mean_ms']:.0f}"],
        ["policy, mean ms", f"{figures['policy_mean_ms']:.0f}"],
        [
            f"best static arm in hindsight ({', '.join(figures['static_arms'].values())}), mean ms",
            f"{figures['static_mean_ms']:.0f}",
        ],
        ["requests to settle after a change, mean", f"{settle['mean']:.1f}"],
        ["requests to settle after a change, p95", f"{settle['p95']:.0f}"],
        ["forecast, median absolute error", f"{figures['forecast_errors']['median']:.1%}"],
        ["forecast, p90 of the absolute error", f"{figures['forecast_errors']['p90']:.1%}"],
    ]
    runs = min(
        len(one)
        for segment in trace.segments
        for of_model in segment.runs.values()
        for of_type in of_model.values()
        for one in of_type.values()
    )
    markdown = (
        f"Trace of {len(trace.segments)} segments, each with its own rate (25 to 1,000 KB/s), "
        f"round trip (10 to 60 ms), device slowdown ({SLOWDOWN:g} or, when warm, "
        f"{WARM_SLOWDOWN:g}) and edge-server load (0 or 50 %). JPEG, PNG and WebP images are "
        f"equally likely. An arm's time for a type is the median of {runs} runs, or of "
        f"{LOADED_TIMES} times as many under load.\n\n" + table(["replay", "value"], rows)
    )
    sys.stdout.write(f"\n{markdown}")

    first = points[: len(points) // _PASSES]

    def draw(axes: Axes) -> None:
        numbers = range(1, len(first) + 1)
        axes.plot(numbers, [one["oracle_ms"] for one in first], label="oracle", linewidth=2.5)
        axes.plot(numbers, [one["ms"] for one in first], label="policy", color="black")
        axes.set_yscale("log")
        axes.set_xlabel("request of the trace")
        axes.set_ylabel("latency, ms")
        axes.set_title("Replay: the policy and the oracle")
        axes.legend()

    write_results(out, "latency-replay", {**figures, "first_pass": first}, markdown, draw)


if __name__ == "__main__":
    sys.exit(main())
