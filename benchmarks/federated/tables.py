"""Table and plot of the federated benchmark, and the seeds in which the agent is ahead."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.common.scores import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINE, AGENT, RANDOM, TPE = "ResNet-18 + SGD, grid", "agent", "random search", "TPE"
_COLUMNS = (
    "partition", "method", "test accuracy", "best validation accuracy",
    "first trial's validation accuracy", "simulated s to the baseline's accuracy",
)  # fmt: skip


def markdown_of(setting: str, partitions: Sequence[str], records: Sequence[dict[str, Any]]) -> str:
    """Return the table, and for each partition the seeds in which the agent is ahead.

    Args:
        setting: Description of the measurement.
        partitions: Partitions of the samples among clients.
        records: One for each method, partition and seed.
    """
    rows, wins = [], []
    for partition in partitions:
        by_method = {
            method: [r for r in records if (r["partition"], r["method"]) == (partition, method)]
            for method in (BASELINE, AGENT, RANDOM, TPE)
        }
        for method, own_records in by_method.items():
            rows.append(
                [
                    partition,
                    method,
                    _interval([100 * r["test"] for r in own_records], "%"),
                    _interval(
                        [100 * max(t["best"] for t in r["trials"]) for r in own_records], "%"
                    ),
                    _interval([100 * r["trials"][0]["best"] for r in own_records], "%"),
                    _median(
                        [
                            reaching(r, b)
                            for r, b in zip(own_records, by_method[BASELINE], strict=True)
                        ]
                    ),
                ]
            )
        wins.append(_wins(partition, by_method))
    return f"{setting}:\n\n{table(_COLUMNS, rows)}\n" + "\n".join(wins) + "\n"


def reaching(record: dict[str, Any], baseline: dict[str, Any]) -> float | None:
    """Return the simulated time until a method reaches the baseline's accuracy; None if never."""
    goal = max(trial["best"] for trial in baseline["trials"])
    is_baseline = record["method"] == BASELINE
    earlier_s = 0.0
    for trial in [record["trials"][record["chosen"]]] if is_baseline else record["trials"]:
        for moment, value in zip(trial["simulated_s"], trial["validation"], strict=True):
            if value >= goal:
                return float(earlier_s + moment)
        earlier_s += trial["simulated_s"][-1] if trial["simulated_s"] else 0.0
    return None


def _wins(partition: str, by_method: dict[str, list[dict[str, Any]]]) -> str:
    """Return how often the agent has the higher test accuracy, as a line of Markdown."""
    parts = []
    for method in (RANDOM, TPE, BASELINE):
        gaps = [
            a["test"] - b["test"] for a, b in zip(by_method[AGENT], by_method[method], strict=True)
        ]
        ahead, equal = sum(gap > 0 for gap in gaps), sum(gap == 0 for gap in gaps)
        parts.append(f"{method} {ahead} of {len(gaps)} ({equal} equal)")
    return f"- {partition}: seeds in which the agent's test accuracy is higher: " + "; ".join(parts)


def _interval(values: Sequence[float], unit: str) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f} {unit}"
    mean, half = mean_interval(values)
    return f"{mean:.2f} ± {half:.2f} {unit}"


def _median(times: Sequence[float | None]) -> str:
    times_reached = [moment for moment in times if moment is not None]
    if not times_reached:
        return "never"
    note = (
        f" ({len(times_reached)} of {len(times)} seeds)" if len(times_reached) < len(times) else ""
    )
    return f"{statistics.median(times_reached):.0f}{note}"


def draw(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    """Draw the baseline and each of the agent's trials for the first seed."""
    for record in records:
        if record["seed"] or record["method"] not in (BASELINE, AGENT):
            continue
        line = "-" if record["partition"] == "iid" else ":"
        for number, trial in enumerate(record["trials"]):
            is_baseline = record["method"] == BASELINE
            if is_baseline and number != record["chosen"]:
                continue
            colour = "black" if is_baseline else f"C{number}"
            label = BASELINE if is_baseline else f"agent, trial {number + 1}"
            axes.plot(
                trial["simulated_s"],
                [100 * value for value in itertools.accumulate(trial["validation"], max)],
                line, drawstyle="steps-post",
                color=colour, label=f"{label} ({record['partition']})",
            )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("simulated time, s (250 KB/s up, 500 KB/s down, 50 GFLOP/s)")
    axes.set_ylabel("best validation accuracy so far, %")
    axes.legend(fontsize=7)
