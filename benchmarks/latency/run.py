"""End-to-end latency: every way to run a request against the policy, over a rate-shaped link.

Run ``python -m edgewright.benchmarks.latency.run``. Real nodes in processes of their own, a device
slowed by a stated factor, a relay between them that holds the link's rate and delay, and a mix of
classification, captioning and question answering. Three parts: a sweep over the link's rate, a
link whose rate jumps while the policy is at work, and the replay of a recorded trace, in which the
policy is compared with an oracle.
"""

from __future__ import annotations

import argparse
import asyncio
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
#: Requests after a jump that belong to learning of it, and are not the sweep's.
_SETTLING = 4
_PAUSE_S = 0.5
#: The recorded trace is replayed with other luck: when changes fall, and which run it is.
_PASSES = 20
_TWINS = (
    "The policy's device is a process of its own, so that no fixed arm teaches it anything; two "
    "processes that do the same differ by some percent, which the last rows take out: once the "
    "policy's work is done, its process runs the best arm too, in turns with the other."
)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured."""

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
        arguments: Instead of the process's own.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="little of everything, for CI")
    parser.add_argument(
        "--trace-alone", action="store_true", help="record and replay a trace alone"
    )
    parser.add_argument("--replay", type=Path, help="replay this recorded trace, measure nothing")
    options = parser.parse_args(arguments)
    if options.replay:
        trace = Trace.model_validate_json(options.replay.read_bytes())
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
    (out / "latency-trace.json").write_text(trace.model_dump_json(), "utf-8")
    return trace


async def _measure_rates(rig: Rig, extent: Extent, out: Path) -> None:
    swept = [await _sweep(rig, rate, extent.rounds) for rate in extent.rates]
    _report_steps(await _steps(rig, extent), out)
    # Last, since it teaches the policy what it would not have seen.
    for one in swept:
        one["twins_ms"] = await _twins(rig, one, 2 * extent.rounds)
    _report_sweep(swept, out)


# -- latency against rate ------------------------------------------------------------------------


async def _sweep(rig: Rig, rate: float, rounds: int) -> dict[str, Any]:
    """Ask for the same things by every arm, and as often by the policy.

    The policy's device is a process of its own. One that is asked more seldom than the other may
    find its caches colder, so they take turns.
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
    """Run the best arm on both devices in turns: processes alike differ by some percent."""
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
                run = await rig.run(card, arm, free=name == "free")
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
    ratios = [each[POLICY] / least for each, least in zip(medians, best, strict=True)]
    twins = [
        statistics.median(one["twins_ms"]["free"]) / statistics.median(one["twins_ms"]["fixed"])
        for one in swept
    ]
    alike = [ratio / twin for ratio, twin in zip(ratios, twins, strict=True)]
    rows.append(["policy over best arm", *(f"{ratio:.3f}" for ratio in ratios)])
    rows.append(
        ["that arm on the policy's process over on the other", *(f"{t:.3f}" for t in twins)]
    )
    rows.append(["policy over best arm, processes alike", *(f"{ratio:.3f}" for ratio in alike)])
    markdown = f"{_setting()} {_TWINS}\n\n{table(columns, rows)}"
    sys.stdout.write(markdown)
    rates = [one["rate_kb_per_s"] for one in swept]
    figures = {
        "setting": _setting(),
        "sweep": list(swept),
        "policy_over_best": ratios,
        "twins": twins,
        "policy_over_best_alike": alike,
    }

    def draw(axes: Axes) -> None:
        for name in names:
            style = {"color": "black", "linewidth": 2.5} if name == POLICY else {"linewidth": 1.0}
            axes.plot(rates, [each[name] for each in medians], label=name, marker=".", **style)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rate of the link in KB/s")
        axes.set_ylabel("median milliseconds to the answer")
        axes.set_title(f"Request mix, device slowed {SLOWDOWN:g} times")
        axes.legend(fontsize="xx-small")

    write_results(out, "latency", figures, markdown, draw)


def _setting() -> str:
    mix = ", ".join(f"{share:.0%} {card}" for card, _, share in MIX)
    return (
        f"Mix: {mix}. Device slowed {SLOWDOWN:g} times, round trip 20 ms. Arms that keep "
        f"{MIN_ACCURACY_RETENTION:.0%} accuracy retention and that no other arm beats in all."
    )


# -- a link that jumps ---------------------------------------------------------------------------


async def _steps(rig: Rig, extent: Extent) -> list[dict[str, Any]]:
    """Let the policy work while the link's rate jumps."""
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
        axes.set_ylabel("milliseconds to the answer")
        rate = axes.twinx()
        rate.step(numbers, [one["rate_kb_per_s"] for one in requests], where="mid", alpha=0.4)
        rate.set_yscale("log")
        rate.set_ylabel("KB/s (blue)")
        axes.set_title("The policy on a link whose rate jumps")

    write_results(out, "latency-steps", {"requests": list(requests)}, markdown, draw)


# -- the replay ----------------------------------------------------------------------------------


def _report_replay(trace: Trace, out: Path) -> None:
    points = replayed(trace, passes=_PASSES)
    found = summary(trace, points)
    settle = found["requests_to_settle"]
    rows: list[list[object]] = [
        ["points", f"{len(points) // _PASSES}, each in {_PASSES} passes"],
        ["mean of chosen over oracle", f"{found['mean_ratio']:.3f}"],
        ["p99 of chosen over oracle", f"{found['p99_ratio']:.3f}"],
        ["oracle, mean ms", f"{found['oracle_mean_ms']:.0f}"],
        ["policy, mean ms", f"{found['policy_mean_ms']:.0f}"],
        [
            f"best static arm in hindsight ({', '.join(found['static_arms'].values())}), mean ms",
            f"{found['static_mean_ms']:.0f}",
        ],
        ["requests to settle after a change, mean", f"{settle['mean']:.1f}"],
        ["requests to settle after a change, p95", f"{settle['p95']:.0f}"],
    ]
    runs = min(
        len(one)
        for segment in trace.segments
        for each in segment.runs.values()
        for one in each.values()
    )
    markdown = (
        f"Trace of {len(trace.segments)} stretches, each with another rate (25 to 1,000 KB/s), "
        f"round trip (10 to 60 ms), slow-down of the device ({SLOWDOWN:g} or, warm, "
        f"{WARM_SLOWDOWN:g}) and load of the edge server (0 or 50 %). An arm's time is the median "
        f"of {runs} runs there, of {LOADED_TIMES} times as many under load.\n\n"
        + table(["replay", "value"], rows)
    )
    sys.stdout.write(f"\n{markdown}")

    first = points[: len(points) // _PASSES]

    def draw(axes: Axes) -> None:
        numbers = range(1, len(first) + 1)
        axes.plot(numbers, [one["oracle_ms"] for one in first], label="oracle", linewidth=2.5)
        axes.plot(numbers, [one["ms"] for one in first], label="policy", color="black")
        axes.set_yscale("log")
        axes.set_xlabel("point of the trace")
        axes.set_ylabel("milliseconds to the answer")
        axes.set_title("Replay: the policy's choice and the best arm")
        axes.legend()

    write_results(out, "latency-replay", {**found, "first_pass": first}, markdown, draw)


if __name__ == "__main__":
    sys.exit(main())
