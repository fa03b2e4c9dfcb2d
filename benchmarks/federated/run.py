"""The training agent against a grid-searched baseline and two searches, with equal trials.

Each method has a run of its own with its own splits on disk. It selects a trial by the validation
split; the test split is scored once, at the end. Finished trials are cached, so that an interrupted
benchmark resumes where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.agents.fl_coder.embedded.design import first_design
from edgewright.agents.fl_coder.protocol import TrainingProblem
from edgewright.benchmarks.common.results import write_results
from edgewright.benchmarks.federated.overhead import (
    SIZES,
    measure,
    overhead_table,
    sandbox_starts,
    sandbox_table,
)
from edgewright.benchmarks.federated.searches import (
    EFFORT,
    GRID_POINTS,
    Agent,
    Grid,
    Search,
    accuracy,
    random_search,
    rank,
    run_search,
    tree_parzen,
)
from edgewright.benchmarks.federated.tables import (
    AGENT,
    BASELINE,
    RANDOM,
    TPE,
    draw,
    markdown_of,
)
from edgewright.tools.datasets.partition import Partition
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import CurvePoint, TrialResult
from edgewright.tools.federated.trials.prepare import DataRequest, load_card, prepare
from edgewright.tools.federated.trials.scoring import score_test

CLIENTS, TRIALS, ALPHA = 10, 4, 0.3
#: Samples for training and validation, half for each, the same for all methods. The benchmark runs
#: about a hundred trainings, each in a sandbox of its own: with this many samples they take some
#: hours of one core, with all of Fashion-MNIST days. Validating and testing cost a single pass, so
#: the set's own test split stays whole; a hundred validation samples would not rank trials.
SAMPLES = 2000
VALIDATION = 0.5
PARTITIONS: dict[Partition, str] = {
    "iid": "ten shops photographed their goods; we need a classifier",
    "dirichlet": "ten shops photographed their goods, each has other kinds and amounts; we need a "
    "classifier",
}


@dataclass(frozen=True)
class Options:
    """The size of the benchmark.

    Attributes:
        data: Name of the data set.
        samples: Maximum number of samples for training and validation; 0 for all.
        seeds: Number of seeds, each with its own clients, initial weights and search.
        partitions: Partitions of the samples among clients.
        cache: Folder of the runs.
        trials: Maximum number of trials of each search.
        grid: Maximum number of points of the baseline's grid.
        clients: Number of clients.
    """

    data: str
    samples: int
    seeds: int
    partitions: tuple[Partition, ...]
    cache: Path
    trials: int = TRIALS
    grid: int = GRID_POINTS
    clients: int = CLIENTS

    def run(self, partition: Partition, seed: int, method: str) -> RunFolder:
        """Return the folder of a method's run."""
        name = "-".join(method.lower().replace(",", " ").replace("+", " ").split())
        case = f"{self.data}-{self.samples}-{self.validation:g}-{self.clients}-{partition}"
        return RunFolder(self.cache / case / f"seed-{seed}" / name)

    @property
    def validation(self) -> float:
        """Share of the samples outside the set's own test split that is used for validation."""
        return VALIDATION if self.samples else 0.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="maximum number; 0 for all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each search")
    parser.add_argument("--grid", type=int, default=GRID_POINTS, help="points of the grid")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--partitions", nargs="+", choices=PARTITIONS, default=[*PARTITIONS])
    parser.add_argument(
        "--weights", nargs="+", choices=SIZES, default=[*SIZES], help="of the engines' models"
    )
    parser.add_argument("--workers", type=int, default=2, help="parallel trainings")
    parser.add_argument("--cache", type=Path, default=Path(".bench-federated"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parsed = parser.parse_args(arguments)
    options = Options(
        data=parsed.data,
        samples=parsed.samples,
        seeds=parsed.seeds,
        trials=parsed.trials,
        grid=parsed.grid,
        clients=parsed.clients,
        partitions=tuple(parsed.partitions),
        cache=parsed.cache.resolve(),
    )
    seeds = range(options.seeds)
    with ThreadPoolExecutor(parsed.workers) as pool:
        cases = [(seed, partition) for seed in seeds for partition in options.partitions]
        jobs = [
            pool.submit(work, options, partition, seed)
            for work in (_searches, _baseline)
            for seed, partition in cases
        ]
        records = [record for job in jobs for record in job.result()]
    records.sort(key=lambda record: record["seed"])
    engines, starts = measure(parsed.weights), sandbox_starts()
    figures = {
        "data": options.data,
        "samples": options.samples,
        "clients": options.clients,
        "alpha": ALPHA,
        "trials": options.trials,
        "grid": options.grid,
        "effort_limit": EFFORT,
        "records": records,
        "overhead": engines,
        "sandbox_start_s": starts,
    }
    card = load_card(options.run(options.partitions[0], 0, BASELINE))
    results_table = markdown_of(_setting(options, card), options.partitions, records)
    parts = (results_table, overhead_table(engines), sandbox_table(starts))
    markdown = "\n".join(parts)
    sys.stdout.write(markdown)
    name = f"federated-{options.data}"
    write_results(parsed.out, name, figures, markdown, lambda axes: draw(axes, records))
    return 0


def _searches(options: Options, partition: Partition, seed: int) -> list[dict[str, Any]]:
    """Run the three searches that start with the same trial."""
    words = PARTITIONS[partition]
    agent_run = options.run(partition, seed, AGENT)
    records = []
    for method in (AGENT, RANDOM, TPE):
        run = options.run(partition, seed, method)
        card = prepare(_request(options, partition, seed), run)
        first_candidate = first_design(words, card).candidate
        search: Search
        if method == AGENT:
            search = Agent(TrainingProblem(purpose=words, card=card))
        else:
            search = (random_search if method == RANDOM else tree_parzen)(first_candidate, seed)
        shared_run = None if method == AGENT else agent_run
        results = run_search(run, search, trials=options.trials, seed=seed, start=shared_run)
        records.append(_record(run, method, partition, seed, results))
    return records


def _baseline(options: Options, partition: Partition, seed: int) -> list[dict[str, Any]]:
    """Train the baseline at every point of its grid."""
    run = options.run(partition, seed, BASELINE)
    card = prepare(_request(options, partition, seed), run)
    grid = Grid(first_design(PARTITIONS[partition], card).candidate)
    points = min(len(grid), options.grid)
    results = run_search(run, grid, trials=points, seed=seed)
    return [_record(run, BASELINE, partition, seed, results)]


def _request(options: Options, partition: Partition, seed: int) -> DataRequest:
    return DataRequest(
        source=options.data,
        clients=options.clients,
        partition=partition,
        alpha=ALPHA,
        samples=options.samples,
        whole_test=True,
        validation=options.validation,
        seed=seed,
    )


def _record(
    run: RunFolder, method: str, partition: str, seed: int, results: Sequence[TrialResult]
) -> dict[str, Any]:
    """Select a trial by validation, score it on the test split, and return it with the curves."""
    chosen = max(range(len(results)), key=lambda index: rank(results[index]))
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
                "best": round(accuracy(result), 5),
                "parameters": result.facts.parameters if result.facts else None,
                **_improvements(result.curve),
                "bytes_up": sum(point.bytes_up for point in result.curve),
                "wall_s": round(result.curve[-1].wall_s, 1) if result.curve else None,
            }
            for result in results
        ],
    }


def _improvements(curve: Sequence[CurvePoint]) -> dict[str, list[float]]:
    """Return the rounds that were better than all before them, and the last one."""
    simulated_s: list[float] = []
    validation: list[float] = []
    best = -1.0
    for point in curve:
        value = round(point.validation.accuracy, 5)
        if value > best or point is curve[-1]:
            simulated_s.append(round(point.simulated_s, 3))
            validation.append(value)
            best = max(best, value)
    return {"simulated_s": simulated_s, "validation": validation}


def _part_of_grid(options: Options) -> str:
    return f" of the first {options.grid} of its grid" if options.grid < GRID_POINTS else ""


def _setting(options: Options, card: DataCard) -> str:
    reason = " (few, so that a hundred trainings take hours, not days)" if options.samples else ""
    sizes = f"{card.train} training samples, {card.validation} validation samples{reason}"
    return (
        f"{options.data}: {sizes}, {card.test} test samples. {options.clients} clients, IID or "
        f"Dirichlet({ALPHA}). Seeds: {options.seeds}; {options.trials} "
        f"trials each from the same start, at most {EFFORT:g} times as costly as the first. Means "
        "with 95 % intervals over the seeds. Simulated time includes all earlier trials of the "
        f"method; for the baseline, only its best trial{_part_of_grid(options)}"
    )


if __name__ == "__main__":
    sys.exit(main())
