"""The training agent against a grid-searched baseline and two searches, at equal trials.

Each method has its own run with its own splits on disk; it chooses by the validation split, and
its test split is scored once, at the end. Finished trials are kept, so that a benchmark that was
broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.agents.fl_coder.design import first_design
from edgewright.agents.fl_coder.protocol import Problem
from edgewright.benchmarks.federated_overhead import (
    measure,
    overhead_table,
    sandbox_starts,
    sandbox_table,
)
from edgewright.benchmarks.federated_searches import (
    EFFORT,
    Agent,
    Grid,
    Search,
    accuracy,
    random_search,
    run_search,
    tree_parzen,
)
from edgewright.benchmarks.results import table, write_results
from edgewright.tools.federated.layout import RunFolder
from edgewright.tools.federated.partition import Partition
from edgewright.tools.federated.prepare import DataRequest, prepare
from edgewright.tools.federated.scoring import score_test
from edgewright.tools.federated.trial import TrialResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLIENTS, TRIALS, ALPHA = 10, 4, 0.3
#: Samples to train and validate with, for all methods alike. The comparison is of some hundred
#: trainings, each in a sandbox of its own: on so few samples they take about two hours of one core,
#: on all of Fashion-MNIST most of a day. A test split of the set's own stays whole, since ten
#: thousand samples tell half a point from nothing and cost one pass.
SAMPLES = 1000
PARTITIONS: dict[Partition, str] = {
    "iid": "ten shops photographed their goods; we need a classifier",
    "dirichlet": "ten shops photographed their goods, each has other kinds and amounts; we need a "
    "classifier",
}
BASELINE, AGENT, RANDOM, TPE = "ResNet-18 + SGD, grid", "agent", "random search", "TPE"
#: Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True)
class Options:
    """What is measured.

    Attributes:
        data: Named set.
        samples: At most so many of its samples to train and validate with; 0 for all.
        seeds: How many seeds: each has its own clients, initial weights and search.
        partitions: How samples are dealt.
        cache: Folder of the runs.
    """

    data: str
    samples: int
    seeds: int
    partitions: tuple[Partition, ...]
    cache: Path

    def run(self, partition: Partition, seed: int, method: str) -> RunFolder:
        """Return a method's run."""
        name = "-".join(method.lower().replace(",", " ").replace("+", " ").split())
        return RunFolder(
            self.cache / f"{self.data}-{self.samples}-{partition}" / f"seed-{seed}" / name
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="at most so many; 0 for all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--partitions", nargs="+", choices=PARTITIONS, default=[*PARTITIONS])
    parser.add_argument("--workers", type=int, default=2, help="trainings side by side")
    parser.add_argument("--cache", type=Path, default=Path(".bench-federated"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    given = parser.parse_args(arguments)
    options = Options(
        data=given.data,
        samples=given.samples,
        seeds=given.seeds,
        partitions=tuple(given.partitions),
        cache=given.cache.resolve(),
    )
    seeds = range(options.seeds)
    with ThreadPoolExecutor(given.workers) as pool:
        # The grid is searched with the first seed; the others train its winner alone.
        grids = [pool.submit(_baseline, options, partition, 0) for partition in options.partitions]
        searches = [
            pool.submit(_searches, options, partition, seed)
            for seed in seeds
            for partition in options.partitions
        ]
        winners = [grid.result() for grid in grids]
        others = [
            pool.submit(_baseline, options, partition, seed, winner["chosen"])
            for partition, winner in zip(options.partitions, winners, strict=True)
            for seed in seeds[1:]
        ]
        records = winners + [other.result() for other in others]
        records += [record for search in searches for record in search.result()]
    records.sort(key=lambda record: record["seed"])
    engines, starts = measure(), sandbox_starts()
    figures = {
        "data": options.data,
        "samples": options.samples,
        "clients": CLIENTS,
        "alpha": ALPHA,
        "trials": TRIALS,
        "effort_limit": EFFORT,
        "records": records,
        "overhead": engines,
        "sandbox_start_s": starts,
    }
    parts = (_markdown(options, records), overhead_table(engines), sandbox_table(starts))
    markdown = "\n".join(parts)
    sys.stdout.write(markdown)
    name = f"federated-{options.data}"
    write_results(given.out, name, figures, markdown, lambda axes: _draw(axes, records))
    return 0


def _searches(options: Options, partition: Partition, seed: int) -> list[dict[str, Any]]:
    """Run the three searches that begin with the same trial."""
    words = PARTITIONS[partition]
    agent_run = options.run(partition, seed, AGENT)
    records = []
    for method in (AGENT, RANDOM, TPE):
        run = options.run(partition, seed, method)
        card = prepare(_request(options, partition, seed), run)
        start = first_design(words, card).candidate
        search: Search
        if method == AGENT:
            search = Agent(Problem(purpose=words, card=card))
        else:
            search = (random_search if method == RANDOM else tree_parzen)(start, seed)
        first = None if method == AGENT else agent_run
        results = run_search(run, search, trials=TRIALS, seed=seed, start=first)
        records.append(_record(run, method, partition, seed, results))
    return records


def _baseline(
    options: Options, partition: Partition, seed: int, only: int | None = None
) -> dict[str, Any]:
    """Train the baseline at all points of its grid, or at one."""
    run = options.run(partition, seed, BASELINE)
    card = prepare(_request(options, partition, seed), run)
    grid = Grid(first_design(PARTITIONS[partition], card).candidate, only)
    results = run_search(run, grid, trials=len(grid), seed=seed)
    return _record(run, BASELINE, partition, seed, results)


def _request(options: Options, partition: Partition, seed: int) -> DataRequest:
    return DataRequest(
        source=options.data,
        clients=CLIENTS,
        partition=partition,
        alpha=ALPHA,
        samples=options.samples,
        whole_test=True,
        seed=seed,
    )


def _record(
    run: RunFolder, method: str, partition: str, seed: int, results: Sequence[TrialResult]
) -> dict[str, Any]:
    """Choose by validation, score the choice on the test split, and keep the curves."""
    chosen = max(range(len(results)), key=lambda place: accuracy(results[place]))
    test = score_test(run, results[chosen].number)
    sys.stderr.write(f"{partition}, seed {seed}, {method}: test accuracy {test.accuracy:.4f}\n")
    return {
        "method": method,
        "partition": partition,
        "seed": seed,
        "chosen": chosen,
        "test": test.accuracy,
        "worst_client": test.worst_client,
        "trials": [
            {
                "status": result.status,
                "best": accuracy(result),
                "parameters": result.facts.parameters if result.facts else None,
                "simulated_s": [round(point.simulated_s, 3) for point in result.curve],
                "validation": [round(point.validation.accuracy, 5) for point in result.curve],
                "bytes_up": sum(point.bytes_up for point in result.curve),
                "wall_s": round(result.curve[-1].wall_s, 1) if result.curve else None,
            }
            for result in results
        ],
    }


def _markdown(options: Options, records: Sequence[dict[str, Any]]) -> str:
    rows, wins = [], []
    for partition in options.partitions:
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
                    _median([_reaching(r, b) for r, b in zip(mine, found[BASELINE], strict=True)]),
                ]
            )
        wins.append(_wins(partition, found))
    columns = [
        "clients", "method", "test accuracy", "best validation", "first trial's validation",
        "simulated s to the baseline's accuracy",
    ]  # fmt: skip
    size = options.data
    if options.samples:
        size = (
            f"At most {options.samples} samples of {size} to train and validate with, the same for "
            "all methods, so that a hundred trainings take hours and not days; a test split of its "
            "own is used whole"
        )
    head = (
        f"{size}. {CLIENTS} clients, IID or Dirichlet({ALPHA}), seeds: {options.seeds}, {TRIALS} "
        f"trials each from the same start, none more than {EFFORT:g} times as costly as it. Means "
        "with 95 % intervals over the seeds. Simulated time counts all earlier trials of the "
        "method; of the baseline, its best trial alone:\n\n"
    )
    return head + table(columns, rows) + "\n" + "\n".join(wins) + "\n"


def _reaching(record: dict[str, Any], baseline: dict[str, Any]) -> float | None:
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
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2f} {unit}"
    student = _STUDENT[min(len(values) - 2, len(_STUDENT) - 1)]
    half = student * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.2f} ± {half:.2f} {unit}"


def _median(times: Sequence[float | None]) -> str:
    reached = [moment for moment in times if moment is not None]
    if not reached:
        return "never"
    note = f" ({len(reached)} of {len(times)} seeds)" if len(reached) < len(times) else ""
    return f"{statistics.median(reached):.0f}{note}"


def _draw(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
