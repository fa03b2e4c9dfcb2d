"""Accuracy and speed of the planner, on our own request set and on files that others wrote.

Run ``python -m edgewright.benchmarks.planner.run [--others FILE]``. To try
settings, ``--split dev`` prints the figures of the development split and writes no results: those
in the docs are always of the test split.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import write_results
from edgewright.benchmarks.planner.naming import (
    all_methods,
    kinds_table,
    naming_table,
    score_naming,
)
from edgewright.benchmarks.planner.plans import measure_cost, plans_table, score_plans
from edgewright.benchmarks.planner.requests import Labelled, path_of, read
from edgewright.tools.cards import CardRegistry

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("test", "dev"), default="test")
    parser.add_argument(
        "--others", type=Path, help="JSON lines as in data/planner, each with a source"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as cache:
        figures = _measured(options, Path(cache))
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    if options.split == "test":
        bins = figures["plans"]["reliability"]
        write_results(options.out, "planner", figures, markdown, lambda axes: _draw(axes, bins))
    return 0


def _measured(options: argparse.Namespace, cache: Path) -> dict[str, Any]:
    """Measure everything; fitted heads go to ``cache``, so that every run fits again."""
    cards = CardRegistry.builtin()
    labelled = read(path_of(options.split))
    others = read(options.others) if options.others else []
    planner = make_embedded_planner(cards, folder=cache)
    figures: dict[str, Any] = {"requests": _described(options.split, labelled)}
    log("fitting every method and naming a card for each request")
    figures["naming"] = score_naming(all_methods(cards, planner), labelled, others)
    log("planning whole requests")
    figures["plans"] = score_plans(planner, labelled)
    log("measuring time and memory")
    figures["cost"] = measure_cost(planner, labelled, options.split, cache)
    return figures


def _described(split: str, labelled: Sequence[Labelled]) -> dict[str, Any]:
    content = path_of(split).read_bytes()
    return {
        "split": split,
        "sha256": hashlib.sha256(content).hexdigest(),
        "kinds": Counter(truth.kind for truth in labelled),
    }


def _markdown(figures: dict[str, Any]) -> str:
    split = figures["requests"]["split"]
    count = next(iter(figures["naming"].values()))["accuracy"]["count"]
    parts = [
        f"One card or none for {count} whole requests of the {split} split:\n",
        naming_table(figures["naming"]),
        "\nThe same by kind of request: accuracy (95 % interval), with the whole catalogue as "
        "alternatives:\n",
        kinds_table(figures["naming"]),
        f"\nWhole plans, {figures['requests']['kinds'].total()} requests of the {split} split:\n",
        plans_table(figures["plans"], figures["cost"]),
    ]
    return "\n".join(parts)


def _draw(axes: Axes, bins: Sequence[dict[str, float]]) -> None:
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="perfect")
    sizes = [20 + 2 * each["count"] for each in bins]
    confidences = [each["confidence"] for each in bins]
    axes.scatter(
        confidences, [each["accuracy"] for each in bins], s=sizes, label="plans, area by count"
    )
    axes.set_xlabel("confidence of the plan")
    axes.set_ylabel("share of exact plans")
    axes.set_title("Reliability on the test split")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
