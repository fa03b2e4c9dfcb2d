"""Accuracy and speed of planning in a conversation.

Run ``python -m edgewright.benchmarks.conversation.run [--file FILE] [--failures]``. Without a file
it scores the test split and writes the results in the docs; a file of others' is only printed.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.text.encoder import minilm
from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, quantiles, share
from edgewright.benchmarks.conversation.cases import (
    Case,
    is_right,
    kinds,
    name_of,
    read_cases,
    replayed,
    steps_of,
)
from edgewright.tools.cards import CardRegistry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEST = DATA / "conversation" / "test.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, help="JSON lines as in data/conversation")
    parser.add_argument("--failures", action="store_true", help="print the plans not accepted")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    path = options.file or TEST
    cases = read_cases(path)
    planner = make_embedded_planner(CardRegistry.builtin())
    figures = score(planner, cases)
    figures["requests"] = {
        "count": len(cases),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    if options.failures:
        sys.stdout.writelines(f"{line}\n" for line in figures["failures"])
    markdown = results_table(figures)
    sys.stdout.write(markdown)
    if options.file is None:
        del figures["failures"]
        write_results(
            options.out, "conversation", figures, markdown, lambda axes: _draw(axes, figures)
        )
    return 0


def score(planner: AnyPlanner, cases: Sequence[Case]) -> dict[str, Any]:
    """Score a planner on cases.

    Args:
        planner: The planner.
        cases: The cases.

    Returns:
        Shares by kind under ``kinds``, and of all cases; the latency; and the ``failures``, a line
        for each plan that is not accepted.
    """
    right: dict[str, list[bool]] = {kind: [] for kind in kinds(cases)}
    failures: list[str] = []
    times_ms, encodes_ms = [], []
    for case in cases:
        request = replayed(planner, case)
        started_at = time.perf_counter()
        plan = planner.plan(request)
        planned_at = time.perf_counter()
        minilm().vectors([request.text])
        times_ms.append((planned_at - started_at) * 1000)
        encodes_ms.append((time.perf_counter() - planned_at) * 1000)
        right[case.kind].append(is_right(plan, case, request))
        if not right[case.kind][-1]:
            names = {image.uri: name_of(image) for image in request.seen}
            got = [f"{tool}({image})" for tool, image in steps_of(plan, names)]
            when = [str(task.when) for task in plan.tasks if task.when]
            failures.append(f"{case.id}: {case.request.text!r} -> {got} {when} {plan.reason!r}")
    everything = [each for found in right.values() for each in found]
    return {
        "kinds": {kind: share(sum(found), len(found)) for kind, found in right.items()},
        "all": share(sum(everything), len(everything)),
        "latency": {
            **quantiles(times_ms),
            "p50_by_encode": statistics.median(times_ms) / statistics.median(encodes_ms),
        },
        "failures": failures,
    }


def results_table(figures: dict[str, Any]) -> str:
    """Return the Markdown table of a score."""
    rows = [
        [kind, f"{format_share(each)}, n={each['count']}"]
        for kind, each in figures["kinds"].items()
    ]
    latency = figures["latency"]
    return table(
        ["requests in a conversation", "plans accepted (95 % interval)"],
        [
            *rows,
            ["all", f"{format_share(figures['all'])}, n={figures['all']['count']}"],
            ["planning, p50 / p95", f"{latency['p50_ms']:.1f} / {latency['p95_ms']:.1f} ms"],
            ["p50 / one MiniLM encoding of the same text", f"{latency['p50_by_encode']:.2f}"],
        ],
    )


def _draw(axes: Axes, figures: dict[str, Any]) -> None:
    shares = figures["kinds"]
    axes.barh(list(shares), [100 * each["share"] for each in shares.values()])
    axes.set_xlabel("plans accepted (%)")
    axes.set_xlim(0, 100)
    axes.set_title("Requests in a conversation, test split")


if __name__ == "__main__":
    sys.exit(main())
