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
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.segments import Segments
from edgewright.benchmarks.latency.replay import (
    LOADED_TIMES,
    Trace,
    record,
    replayed,
    summary,
)
from edgewright.benchmarks.latency.rig import Rig
from edgewright.benchmarks.latency.sweep import draw as draw_sweep
from edgewright.benchmarks.latency.sweep import summary as summary_of_sweep
from edgewright.benchmarks.latency.sweep import swept, twins
from edgewright.benchmarks.latency.workload import (
    MIN_ACCURACY_RETENTION,
    MIX,
    SLOWDOWN,
    WARM_SLOWDOWN,
    Conditions,
    Workload,
    cards_drawn,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The recorded trace among the results; compressed, since it is long and only replayed.
TRACE = "latency-trace.json.gz"
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
    parser.add_argument("--no-trace", action="store_true", help="sweep and steps only")
    parser.add_argument("--resume", type=Path, help="folder with the parts measured so far")
    parser.add_argument("--replay", type=Path, help="replay this recorded trace without measuring")
    options = parser.parse_args(arguments)
    if options.replay:
        trace = Trace.model_validate_json(gzip.decompress(options.replay.read_bytes()))
        _report_replay(trace, options.out)
        return 0
    extent = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        parts = Segments(options.resume or Path(folder))
        asyncio.run(
            _measure(
                extent,
                parts,
                options.out,
                rates=not options.trace_alone,
                trace=not options.no_trace,
            )
        )
    return 0


async def _measure(extent: Extent, parts: Segments, out: Path, *, rates: bool, trace: bool) -> None:
    workload = Workload(runs=1) if extent is QUICK else Workload()
    async with Rig(parts.folder, workload) as rig:
        if rates:
            await _measure_rates(rig, parts, extent, out)
        if trace:
            found = await record(
                rig, parts, segments=extent.segments, length=extent.length, runs=extent.runs
            )
            out.mkdir(parents=True, exist_ok=True)
            packed = gzip.compress(found.model_dump_json().encode(), mtime=0)
            (out / TRACE).write_bytes(packed)
            _report_replay(found, out)


async def _measure_rates(rig: Rig, parts: Segments, extent: Extent, out: Path) -> None:
    each = [
        await parts.measured(
            f"sweep-{rate:g}",
            partial(swept, rig, Conditions(rate_kb_per_s=rate), extent.rounds),
        )
        for rate in extent.rates
    ]
    _report_steps(await parts.measured("steps", partial(_steps, rig, extent)), out)
    # Last, since the policy learns from it.
    for one in each:
        one["twins_ms"] = await parts.measured(
            f"twins-{one['rate_kb_per_s']:g}", partial(twins, rig, one, 2 * extent.rounds)
        )
    _report_sweep(each, out)


def _report_sweep(each: Sequence[Mapping[str, Any]], out: Path) -> None:
    figures, rows = summary_of_sweep(each)
    markdown = f"{_setting()} {_TWINS}\n\n{rows}"
    sys.stdout.write(markdown)
    title = f"Request mix, device slowed {SLOWDOWN:g} times"
    write_results(
        out,
        "latency",
        {"setting": _setting(), **figures},
        markdown,
        lambda axes: draw_sweep(axes, each, title),
    )


def _setting() -> str:
    mix = ", ".join(f"{one.share:.0%} {one.card}" for one in MIX)
    usual = Conditions(rate_kb_per_s=1)
    return (
        f"EfficientNet-Lite0, which also stands in for larger models: {mix}. "
        f"Device slowed {SLOWDOWN:g} times, round trip {usual.rtt_ms:g} ms to the edge "
        f"server and {usual.cloud_rtt_ms:g} ms to the cloud, which are equally fast. Without the "
        f"cloud, arms that retain {MIN_ACCURACY_RETENTION:.0%} of the accuracy and are not "
        "dominated by another; the cloud gets the image without any loss, and as JPEG. Planning "
        "is not included: it takes the same time wherever it is done."
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
