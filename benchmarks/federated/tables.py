"""The federated benchmark's records: table, who is ahead, and plot."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.common.scores import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINE, AGENT, RANDOM, TPE = "ResNet-18 + SGD, grid", "agent", "random search", "TPE"
_COLUMNS = (
    "clients", "method", "test accuracy", "best validation", "first trial's validation",
    "simulated s to the baseline's accuracy",
)  # fmt: skip


def markdown_of(setting: str, partitions: Sequence[str], records: Sequence[dict[str, Any]]) -> str:
    """Write the table, and for each way of dealing samples who is ahead.

    Args:
        setting: What was measured, in words.
        partitions: How samples were dealt.
        records: One for each method, partition and seed.
    """
    rows, wins = [], []
    for partition in partitions:
        found = {
            method: [r for r in records if (r["partition"], r["method"]) == (partition, method)]
            for method in (BASELINE, AGENT, RANDOM, TPE)
        }
        for method, mine in found.items():
            rows.append(
                [
                    partition,
                    method,
                    _interval([100 * r["test"] for r in mine], "%"),
                    _interval([100 * max(t["best"] for t in r["trials"]) for r in mine], "%"),
                    _interval([100 * r["trials"][0]["best"] for r in mine], "%"),
                    _median([reaching(r, b) for r, b in zip(mine, found[BASELINE], strict=True)]),
                ]
            )
        wins.append(_wins(partition, found))
    return f"{setting}:\n\n{table(_COLUMNS, rows)}\n" + "\n".join(wins) + "\n"


def reaching(record: dict[str, Any], baseline: dict[str, Any]) -> float | None:
    """Return the simulated time until a method is as good as the baseline; None if never."""
    goal = max(trial["best"] for trial in baseline["trials"])
    own = record["method"] == BASELINE
    spent = 0.0
    for trial in [record["trials"][record["chosen"]]] if own else record["trials"]:
        for moment, value in zip(trial["simulated_s"], trial["validation"], strict=True):
            if value >= goal:
                return float(spent + moment)
        spent += trial["simulated_s"][-1] if trial["simulated_s"] else 0.0
    return None


def _wins(partition: str, found: dict[str, list[dict[str, Any]]]) -> str:
    """Count the seeds with which the agent is ahead, by test accuracy."""
    parts = []
    for rival in (RANDOM, TPE, BASELINE):
        gaps = [a["test"] - b["test"] for a, b in zip(found[AGENT], found[rival], strict=True)]
        ahead, level = sum(gap > 0 for gap in gaps), sum(gap == 0 for gap in gaps)
        parts.append(f"{rival} {ahead} of {len(gaps)} ({level} equal)")
    return f"- {partition}: the agent is ahead in test accuracy of " + "; ".join(parts)


def _interval(values: Sequence[float], unit: str) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f} {unit}"
    mean, half = mean_interval(values)
    return f"{mean:.2f} ± {half:.2f} {unit}"


def _median(times: Sequence[float | None]) -> str:
    reached = [moment for moment in times if moment is not None]
    if not reached:
        return "never"
    note = f" ({len(reached)} of {len(times)} seeds)" if len(reached) < len(times) else ""
    return f"{statistics.median(reached):.0f}{note}"


def draw(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    """Draw the first seed: the baseline and each trial of the agent."""
    for record in records:
        if record["seed"] or record["method"] not in (BASELINE, AGENT):
            continue
        line = "-" if record["partition"] == "iid" else ":"
        for number, trial in enumerate(record["trials"]):
            own = record["method"] == BASELINE
            if own and number != record["chosen"]:
                continue
            colour = "black" if own else f"C{number}"
            label = BASELINE if own else f"agent, trial {number + 1}"
            axes.plot(
                trial["simulated_s"], [100 * value for value in trial["validation"]],
                line, color=colour, label=f"{label} ({record['partition']})",
            )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("simulated wall-clock, s (250 KB/s up, 500 KB/s down, 50 GFLOP/s)")
    axes.set_ylabel("validation accuracy, %")
    axes.legend(fontsize=7)
