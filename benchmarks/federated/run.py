"""The training agent against a grid-searched baseline and two searches, at equal trials.

Each method has its own run with its own splits on disk; it chooses by the validation split, and
its test split is scored once, at the end. Finished trials are kept, so that a benchmark that was
broken off goes on where it was.
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
    measure,
    overhead_table,
    sandbox_starts,
    sandbox_table,
)
from edgewright.benchmarks.federated.searches import (
    EFFORT,
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
from edgewright.tools.federated.records.trial import TrialResult
from edgewright.tools.federated.trials.prepare import DataRequest, load_card, prepare
from edgewright.tools.federated.trials.scoring import score_test

CLIENTS, TRIALS, ALPHA = 10, 4, 0.3
#: Samples to train and validate with, for all methods alike, half of them for each. The comparison
#: is of some hundred trainings, each in a sandbox of its own: on so few samples they take some
#: hours of one core, on all of Fashion-MNIST days. Validation and a test split of the set's own,
#: which stays whole, cost one pass, and a thousand samples and more tell what is better; a hundred
#: would leave every search to chance.
SAMPLES = 2000
VALIDATION = 0.5
PARTITIONS: dict[Partition, str] = {
    "iid": "ten shops photographed their goods; we need a classifier",
    "dirichlet": "ten shops photographed their goods, each has other kinds and amounts; we need a "
    "classifier",
}


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
        case = f"{self.data}-{self.samples}-{self.validation:g}-{partition}"
        return RunFolder(self.cache / case / f"seed-{seed}" / name)

    @property
    def validation(self) -> float:
        """Share that is validated with, of what the set's own test split leaves."""
        return VALIDATION if self.samples else 0.1


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
        cases = [(seed, partition) for seed in seeds for partition in options.partitions]
        jobs = [
            pool.submit(work, options, partition, seed)
            for work in (_searches, _baseline)
            for seed, partition in cases
        ]
        records = [record for job in jobs for record in job.result()]
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
    card = load_card(options.run(options.partitions[0], 0, BASELINE))
    shown = markdown_of(_setting(options, card), options.partitions, records)
    parts = (shown, overhead_table(engines), sandbox_table(starts))
    markdown = "\n".join(parts)
    sys.stdout.write(markdown)
    name = f"federated-{options.data}"
    write_results(given.out, name, figures, markdown, lambda axes: draw(axes, records))
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
            search = Agent(TrainingProblem(purpose=words, card=card))
        else:
            search = (random_search if method == RANDOM else tree_parzen)(start, seed)
        first = None if method == AGENT else agent_run
        results = run_search(run, search, trials=TRIALS, seed=seed, start=first)
        records.append(_record(run, method, partition, seed, results))
    return records


def _baseline(options: Options, partition: Partition, seed: int) -> list[dict[str, Any]]:
    """Train the baseline at all points of its grid."""
    run = options.run(partition, seed, BASELINE)
    card = prepare(_request(options, partition, seed), run)
    grid = Grid(first_design(PARTITIONS[partition], card).candidate)
    results = run_search(run, grid, trials=len(grid), seed=seed)
    return [_record(run, BASELINE, partition, seed, results)]


def _request(options: Options, partition: Partition, seed: int) -> DataRequest:
    return DataRequest(
        source=options.data,
        clients=CLIENTS,
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
    """Choose by validation, score the choice on the test split, and keep the curves."""
    chosen = max(range(len(results)), key=lambda place: rank(results[place]))
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


def _setting(options: Options, card: DataCard) -> str:
    few = ", so few that a hundred trainings take hours and not days" if options.samples else ""
    sizes = f"{card.train} samples to train with and {card.validation} to validate with{few}"
    return (
        f"{options.data}: {sizes}, {card.test} to test with. {CLIENTS} clients, IID or "
        f"Dirichlet({ALPHA}), seeds: {options.seeds}, {TRIALS} "
        f"trials each from the same start, none more than {EFFORT:g} times as costly as it. Means "
        "with 95 % intervals over the seeds. Simulated time counts all earlier trials of the "
        "method; of the baseline, its best trial alone"
    )


if __name__ == "__main__":
    sys.exit(main())
