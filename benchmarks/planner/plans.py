"""Whole plans of the embedded planner: accuracy, calibration, speed and memory."""

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


def score_plans(planner: AnyPlanner, labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Score whole plans: sets of cards, graphs, refusals and confidence.

    Args:
        planner: The planner.
        labelled: Requests of every kind.

    Returns:
        Shares by name under ``shares``; ``calibration_error`` and the ``reliability`` bins.
    """
    plans = planner.plan_many([truth.request for truth in labelled])
    exact_plans = [exact(plan, truth) for plan, truth in zip(plans, labelled, strict=True)]
    bins = reliability([plan.confidence for plan in plans], exact_plans)
    refused = sum(not plan.tasks for plan in plans)
    none = sum(not truth.tools for truth in labelled)
    both = sum(
        not plan.tasks and not truth.tools for plan, truth in zip(plans, labelled, strict=True)
    )
    return {
        "shares": {
            "right set of cards": _right_sets(plans, labelled),
            "exact plan": share(sum(exact_plans), len(exact_plans)),
            "exact plan, several steps": _of_kind("multi", exact_plans, labelled),
            "exact plan, follow-ups": _of_kind("follow-up", exact_plans, labelled),
            "none-of-these precision": share(both, refused),
            "none-of-these recall": share(both, none),
        },
        "calibration_error": calibration_error(bins),
        "reliability": bins,
    }


def measure_cost(
    planner: AnyPlanner, labelled: Sequence[Labelled], split: str, cache: Path
) -> dict[str, Any]:
    """Measure time and memory of planning.

    Args:
        planner: The planner, its heads fitted.
        labelled: Requests to plan.
        split: Their split, which a process of its own plans to measure memory.
        cache: Folder of the fitted heads.
    """
    requests = [truth.request for truth in labelled]
    times_ms, encodes_ms = [], []
    for request in requests:
        started_at = time.perf_counter()
        planner.plan(request)
        planned_at = time.perf_counter()
        minilm().vectors([request.text])
        times_ms.append((planned_at - started_at) * 1000)
        encodes_ms.append((time.perf_counter() - planned_at) * 1000)
    batch = [requests[n % len(requests)] for n in range(BATCH)]
    started_at = time.perf_counter()
    planner.plan_many(batch)
    batch_s = time.perf_counter() - started_at
    one_by_one_s = statistics.fmean(times_ms) * BATCH / 1000
    return {
        **quantiles(times_ms),
        "encode_p50_ms": statistics.median(encodes_ms),
        "p50_by_encode": statistics.median(times_ms) / statistics.median(encodes_ms),
        "batch_s": batch_s,
        "batch_speed_up": one_by_one_s / batch_s,
        "memory_mb": _memory_mb(split, cache),
        "times_ms": [round(time_ms, 3) for time_ms in times_ms],
    }


def plans_table(plans: dict[str, Any], cost: dict[str, Any]) -> str:
    """Return the Markdown table of the scores and the cost."""
    rows = [
        [name, f"{format_share(score)}, n={score['count']}"]
        for name, score in plans["shares"].items()
    ]
    return table(
        ["embedded planner", "value (95 % interval)"],
        [
            *rows,
            ["expected calibration error", f"{plans['calibration_error']:.3f}"],
            ["planning, p50 / p95", f"{cost['p50_ms']:.1f} / {cost['p95_ms']:.1f} ms"],
            ["p50 / one MiniLM encoding of the same text", f"{cost['p50_by_encode']:.2f}"],
            [
                f"{BATCH:,} requests in one batch, compared with one by one",
                f"{cost['batch_s']:.1f} s, {cost['batch_speed_up']:.1f} times as fast",
            ],
            ["peak memory above the bare interpreter", f"{cost['memory_mb']:.0f} MB"],
        ],
    )


def plan_split(split: str, cache: str) -> None:
    """Plan a whole split, one by one and in a batch; the memory of this is measured."""
    planner = make_embedded_planner(CardRegistry.builtin(), folder=Path(cache))
    requests = [truth.request for truth in read(path_of(split))]
    for request in requests:
        planner.plan(request)
    planner.plan_many([requests[n % len(requests)] for n in range(BATCH)])


def _memory_mb(split: str, cache: Path) -> float:
    """Return the peak memory of a planning process above that of an idle one, in MB."""
    work = "from edgewright.benchmarks.planner.plans import plan_split; "
    work += f"plan_split({split!r}, {str(cache)!r})"
    return (_peak_kb(work) - _peak_kb("")) / 1024


def _peak_kb(work: str) -> int:
    command = [sys.executable, "-c", f"{work}\n{_PEAK}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return int(answer.stdout)


def _right_sets(plans: Sequence[Plan], labelled: Sequence[Labelled]) -> dict[str, Any]:
    right = [right_tools(plan, truth) for plan, truth in zip(plans, labelled, strict=True)]
    return share(sum(right), len(right))


def _of_kind(
    kind: str, exact_plans: Sequence[bool], labelled: Sequence[Labelled]
) -> dict[str, Any]:
    matches = [ok for ok, truth in zip(exact_plans, labelled, strict=True) if truth.kind == kind]
    return share(sum(matches), len(matches))
