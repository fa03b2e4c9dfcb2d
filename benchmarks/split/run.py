"""Bytes against accuracy: images sent whole, and models cut between device and edge server.

Run ``python -m edgewright.benchmarks.split.run``. Codecs are trained first, with three seeds each,
which takes most of the time and resumes after an interruption. With ``QUICK=1`` in the environment,
the codecs that ship with the package are measured on few images, and workloads without one are
skipped. If the licence of the images forbids shipping weights, the model is trained first too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from edgewright.benchmarks.common.results import write_results
from edgewright.benchmarks.split.costs import latency
from edgewright.benchmarks.split.measure import Job, measured
from edgewright.benchmarks.split.tables import draw, markdown_of
from edgewright.benchmarks.split.workloads import SHIPPED, WORKLOADS
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.settings import home

SEEDS = (0, 1, 2)
_TIMED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when no workload could be measured.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", choices=WORKLOADS, action="append", help="measure only this workload (repeatable)"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument(
        "--work", type=Path, default=home() / "bench-split", help="features, checkpoints, codecs"
    )
    parser.add_argument(
        "--receivers",
        action="store_true",
        help="also tune a receiver to each lossy encoding, which takes longer than everything else",
    )
    parser.add_argument(
        "--seeds", type=int, choices=(1, len(SEEDS)), default=len(SEEDS), help="seeds of the codecs"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="workloads measured in parallel, one thread and up to 5 GB each (default: cores)",
    )
    options = parser.parse_args(arguments)
    quick = os.environ.get("QUICK") == "1"
    chosen = options.only or WORKLOADS
    jobs = [
        Job(
            name=name,
            work=options.work / name,
            seeds=SEEDS[: options.seeds],
            quick=quick,
            receivers=options.receivers,
        )
        for name in chosen
        if name in SHIPPED or not quick
    ]
    for name in set(chosen) - {job.name for job in jobs}:
        sys.stderr.write(f"{name} is skipped in quick runs: no codec ships for it\n")
    any_measured = False
    for job, figures in zip(jobs, _side_by_side(jobs, options.jobs), strict=True):
        if isinstance(figures, str):
            sys.stderr.write(f"{job.name} is skipped: {figures}\n")
        else:
            _report(job, figures, options.out)
            any_measured = True
    return 0 if any_measured else 1


def _side_by_side(jobs: Sequence[Job], count: int) -> list[dict[str, Any] | str]:
    """Measure every job in a process of its own, which frees its memory before the next."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(measured, jobs))


def _report(job: Job, figures: dict[str, Any], out: Path) -> None:
    """Measure latencies, now that nothing else runs, and write the results."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as nodes do
    workload = job.workload()
    images = [workload.adapter.preprocess(each) for each in islice(workload.test.read(), _TIMED)]
    figures["latency_ms"] = latency(workload, job.codec(workload), images)
    markdown = markdown_of(figures)
    sys.stdout.write(f"\n### {figures['title']}\n\n{markdown}")
    suffix = "-quick" if job.quick else ""
    write_results(
        out, f"split-{job.name}{suffix}", figures, markdown, lambda axes: draw(axes, figures)
    )


if __name__ == "__main__":
    raise SystemExit(main())
