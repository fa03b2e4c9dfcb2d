"""Exact plans for perception and sensing cards, alone and combined, on their own test split.

Run ``python -m edgewright.benchmarks.planner.perception``. To try settings, ``--file`` scores other
requests, prints those that get another plan, and writes no results.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, share
from edgewright.benchmarks.planner.requests import Labelled, exact, path_of, read
from edgewright.tools.cards import CardRegistry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Cards that came with this split; the others of it sense moods.
PERCEPTION = ("object-detection", "text-recognition", "facial-expression")
#: Rows of the table besides single cards.
NEW, SEVERAL, EVERYTHING = "the three perception cards", "several cards", "all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, help="JSON lines as in data/planner")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    path = options.file or path_of("perception")
    figures = score_perception(make_embedded_planner(CardRegistry.builtin()), read(path))
    markdown = perception_table(figures["shares"])
    failures = figures.pop("failures")
    if options.file:
        sys.stdout.writelines(f"{line}\n" for line in failures)
    sys.stdout.write(markdown)
    if not options.file:
        figures["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        shares = figures["shares"]
        write_results(
            options.out, "planner-cards", figures, markdown, lambda axes: _draw(axes, shares)
        )
    return 0


def score_perception(planner: AnyPlanner, labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Return the ``shares`` of exact plans by card, and a line for each of the ``failures``.

    Args:
        planner: The planner.
        labelled: Requests for one card or several.
    """
    plans = planner.plan_many([truth.request for truth in labelled])
    right: dict[str, list[bool]] = {}
    failures: list[str] = []
    for plan, truth in zip(plans, labelled, strict=True):
        kind = truth.tools[0] if len(truth.tools) == 1 else SEVERAL
        ok = exact(plan, truth)
        for name in (kind, *([NEW] if kind in PERCEPTION else []), EVERYTHING):
            right.setdefault(name, []).append(ok)
        if not ok:
            failures.append(f"{plan.request!r} -> {[task.tool for task in plan.tasks]}")
    last = [NEW, SEVERAL, EVERYTHING]
    names = [*sorted(set(right) - set(last)), *(name for name in last if name in right)]
    shares = {name: share(sum(right[name]), len(right[name])) for name in names}
    return {"shares": shares, "failures": failures}


def perception_table(shares: dict[str, Any]) -> str:
    """Return the Markdown table of the shares."""
    return table(
        ["requests for", "exact plan (95 % interval)"],
        [[name, f"{format_share(found)}, n={found['count']}"] for name, found in shares.items()],
    )


def _draw(axes: Axes, shares: dict[str, Any]) -> None:
    axes.barh(list(shares), [100 * each["share"] for each in shares.values()])
    axes.set_xlabel("exact plans (%)")
    axes.set_xlim(0, 100)
    axes.set_title("Requests for perception and sensing cards, test split")


if __name__ == "__main__":
    sys.exit(main())
