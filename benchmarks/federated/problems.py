"""The embedded coder against plain FedAvg on worded training problems.

Finished problems are cached, so that an interrupted benchmark resumes where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.federated.worded import (
    NEARLY,
    SEEDS,
    Figure,
    ProblemOutcome,
    load_problems,
    solve,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of problems (default: all)")
    parser.add_argument(
        "--problems", type=Path, help="file of problems to use instead of the built-in ones"
    )
    parser.add_argument("--workers", type=int, default=2, help="parallel trainings")
    parser.add_argument("--cache", type=Path, default=Path(".bench-federated/problems"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["EDGEWRIGHT_HOME"] = str(cache / "home")
    problems = load_problems(options.problems)
    chosen = [each for each in problems if not options.only or each.name in options.only]
    outcomes = []
    for problem in chosen:
        cached = cache / f"{problem.name}.json"
        if not cached.exists():
            outcome = asyncio.run(solve(problem, workers=options.workers))
            cached.write_text(outcome.model_dump_json(indent=2), "utf-8")
        outcomes.append(ProblemOutcome.model_validate_json(cached.read_text("utf-8")))
        sys.stderr.write(f"{outcomes[-1].model_dump_json()}\n")
    markdown = _markdown(outcomes)
    sys.stdout.write(markdown)
    figures = {"problems": [outcome.model_dump(mode="json") for outcome in outcomes]}
    write_results(
        options.out, "federated-problems", figures, markdown, lambda axes: _draw(axes, outcomes)
    )
    return 0


def _markdown(outcomes: Sequence[ProblemOutcome]) -> str:
    good = sum(outcome.answered and outcome.as_well for outcome in outcomes)
    rows = [
        [
            outcome.name,
            outcome.kind,
            outcome.figure,
            _format_figure(outcome.figure, outcome.ours),
            _format_figure(outcome.figure, outcome.control),
            f"{100 * outcome.accuracy:.1f} %",
            f"{100 * outcome.control_accuracy:.1f} %",
            "yes" if outcome.answered else "no",
            "yes" if outcome.as_well else "no",
        ]
        for outcome in outcomes
    ]
    columns = [
        "problem", "constraint", "metric", "coder", "FedAvg", "test accuracy",
        "FedAvg's test accuracy", "satisfied", "as good",
    ]  # fmt: skip
    return (
        f"{good} of {len(outcomes)} designs satisfy the constraint and are at least as good as "
        "plain FedAvg on its metric (accuracies within one standard error count as equal; the "
        f"worst client's is the mean over {SEEDS['worst-client']} seeds; bytes and simulated "
        f"seconds count until {100 * NEARLY:.0f} points below FedAvg's best accuracy):\n\n"
        + table(columns, rows)
    )


def _format_figure(figure: Figure, value: float | None) -> str:
    if value is None:
        return "no guarantee" if figure == "epsilon" else "never"
    if figure in ("accuracy", "worst-client"):
        return f"{100 * value:.1f} %"
    return f"{value / 1e6:.2f} MB" if figure == "bytes" else f"{value:.4g}"


def _draw(axes: Axes, outcomes: Sequence[ProblemOutcome]) -> None:
    positions = np.arange(len(outcomes))
    axes.bar(positions - 0.2, [100 * each.accuracy for each in outcomes], 0.4, label="coder")
    axes.bar(
        positions + 0.2,
        [100 * each.control_accuracy for each in outcomes],
        0.4,
        label="plain FedAvg",
    )
    names = [f"{outcome.name}\n({outcome.kind})" for outcome in outcomes]
    axes.set_xticks(positions, names, rotation=60, ha="right", fontsize=6)
    axes.set_ylabel("test accuracy, %")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncol=2, frameon=False)


if __name__ == "__main__":
    sys.exit(main())
