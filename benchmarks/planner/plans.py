"""Whole plans of the embedded planner: how right, how well calibrated, how fast, how big."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.text.encoder import minilm
from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.common.scores import (
    calibration_error,
    format_share,
    quantiles,
    reliability,
    share,
)
from edgewright.benchmarks.planner.requests import Labelled, exact, path_of, read, right_tools
from edgewright.tools.cards import CardRegistry

BATCH = 1000
_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line[:5] == 'VmHWM'))"


def score_plans(planner: AnyPlanner, asked: Sequence[Labelled]) -> dict[str, Any]:
    """Score whole plans: sets of cards, graphs, refusals and confidence.

    Args:
        planner: The planner.
        asked: Requests of every kind.

    Returns:
        Shares by name under ``shares``; ``calibration_error`` and the ``reliability`` bins.
    """
    plans = planner.plan_many([truth.request for truth in asked])
    perfect = [exact(plan, truth) for plan, truth in zip(plans, asked, strict=True)]
    bins = reliability([plan.confidence for plan in plans], perfect)
    refused = sum(not plan.tasks for plan in plans)
    none = sum(not truth.tools for truth in asked)
    both = sum(not plan.tasks and not truth.tools for plan, truth in zip(plans, asked, strict=True))
    return {
        "shares": {
            "right set of cards": _right_sets(plans, asked),
            "exact plan": share(sum(perfect), len(perfect)),
            "exact plan, several steps": _of_kind("multi", perfect, asked),
            "exact plan, follow-ups": _of_kind("follow-up", perfect, asked),
            "none-of-these precision": share(both, refused),
            "none-of-these recall": share(both, none),
        },
        "calibration_error": calibration_error(bins),
        "reliability": bins,
    }


def measure_cost(
    planner: AnyPlanner, asked: Sequence[Labelled], split: str, folder: Path
) -> dict[str, Any]:
    """Measure time and memory of planning.

    Args:
        planner: The planner, its heads fitted.
        asked: Requests to plan.
        split: The split they are from; another process reads it to measure its memory.
        folder: Where the fitted heads are kept.
    """
    requests = [truth.request for truth in asked]
    times_ms, encodes_ms = [], []
    for request in requests:
        begin = time.perf_counter()
        planner.plan(request)
        middle = time.perf_counter()
        minilm().vectors([request.text])
        times_ms.append((middle - begin) * 1000)
        encodes_ms.append((time.perf_counter() - middle) * 1000)
    many = [requests[n % len(requests)] for n in range(BATCH)]
    begin = time.perf_counter()
    planner.plan_many(many)
    batch_s = time.perf_counter() - begin
    one_by_one_s = statistics.fmean(times_ms) * BATCH / 1000
    return {
        **quantiles(times_ms),
        "encode_p50_ms": statistics.median(encodes_ms),
        "p50_by_encode": statistics.median(times_ms) / statistics.median(encodes_ms),
        "batch_s": batch_s,
        "batch_speed_up": one_by_one_s / batch_s,
        "memory_mb": _memory_mb(split, folder),
        "times_ms": [round(time_ms, 3) for time_ms in times_ms],
    }


def plans_table(plans: dict[str, Any], cost: dict[str, Any]) -> str:
    """Return what both functions found, one figure a line."""
    rows = [
        [name, f"{format_share(found)}, n={found['count']}"]
        for name, found in plans["shares"].items()
    ]
    return table(
        ["embedded planner", "value (95 % interval)"],
        [
            *rows,
            ["expected calibration error", f"{plans['calibration_error']:.3f}"],
            ["planning, p50 / p95", f"{cost['p50_ms']:.1f} / {cost['p95_ms']:.1f} ms"],
            ["p50 by one MiniLM encode of the same text", f"{cost['p50_by_encode']:.2f}"],
            [
                f"{BATCH:,} requests in a batch, against one by one",
                f"{cost['batch_s']:.1f} s, {cost['batch_speed_up']:.1f} times as fast",
            ],
            ["peak memory above the bare interpreter", f"{cost['memory_mb']:.0f} MB"],
        ],
    )


def plan_split(split: str, folder: str) -> None:
    """Plan a whole split, one by one and in a batch; the memory is measured of this."""
    planner = make_embedded_planner(CardRegistry.builtin(), folder=Path(folder))
    requests = [truth.request for truth in read(path_of(split))]
    for request in requests:
        planner.plan(request)
    planner.plan_many([requests[n % len(requests)] for n in range(BATCH)])


def _memory_mb(split: str, folder: Path) -> float:
    """Return how much more a process that plans takes at its peak than one that does nothing."""
    work = "from edgewright.benchmarks.planner.plans import plan_split; "
    work += f"plan_split({split!r}, {str(folder)!r})"
    return (_peak_kb(work) - _peak_kb("")) / 1024


def _peak_kb(work: str) -> int:
    command = [sys.executable, "-c", f"{work}\n{_PEAK}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return int(answer.stdout)


def _right_sets(plans: Sequence[Plan], asked: Sequence[Labelled]) -> dict[str, Any]:
    right = [right_tools(plan, truth) for plan, truth in zip(plans, asked, strict=True)]
    return share(sum(right), len(right))


def _of_kind(kind: str, perfect: Sequence[bool], asked: Sequence[Labelled]) -> dict[str, Any]:
    found = [ok for ok, truth in zip(perfect, asked, strict=True) if truth.kind == kind]
    return share(sum(found), len(found))
