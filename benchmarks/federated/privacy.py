"""What differential privacy leaves of the accuracy: of single images, of whole clients, and none.

Ten clients with as many samples each train the design of the embedded coder for a budget in words.
Finished trials are cached, so that an interrupted benchmark resumes where it stopped.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.agents.fl_coder.embedded.design import first_design
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import TrialRequest
from edgewright.tools.federated.trials.prepare import DataRequest, prepare
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.federated.trials.scoring import score_test
from edgewright.tools.sandbox.limits import SandboxLimits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLIENTS, EPSILON, DELTA = 10, 3, 1e-5
_BUDGET = f"with epsilon {EPSILON} and delta {DELTA:g}"
UNITS = {
    "image": f"Sort pictures. Differential privacy of each single image {_BUDGET}.",
    "client": f"Sort pictures. Differential privacy of each client as a whole {_BUDGET}.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".bench-federated/privacy"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    cache = options.cache.resolve()
    os.environ["EDGEWRIGHT_HOME"] = str(cache / "home")
    records = [
        measure(unit, words, options.data, seed, cache)
        for unit, words in UNITS.items()
        for seed in range(options.seeds)
    ]
    markdown = _markdown(options.data, records)
    sys.stdout.write(markdown)
    figures = {"data": options.data, "epsilon": EPSILON, "delta": DELTA, "records": records}
    write_results(
        options.out, "federated-privacy", figures, markdown, lambda axes: _draw(axes, records)
    )
    return 0


def measure(unit: str, words: str, data: str, seed: int, cache: Path) -> dict[str, Any]:
    """Train the design for a budget, and score it on the test split.

    Args:
        unit: What is protected.
        words: The person's words.
        data: The data source.
        seed: Seed of splits, weights and noise.
        cache: Folder of the runs.
    """
    run = RunFolder(cache / data / unit / f"seed-{seed}")
    card = prepare(DataRequest(source=data, clients=CLIENTS, seed=seed), run)
    candidate = first_design(words, card).candidate
    limits = SandboxLimits(time_s=6 * 3600)
    result = run_trial(run, TrialRequest(number=1, candidate=candidate, seed=seed, limits=limits))
    if result.fault is not None:
        raise SystemExit(f"{unit}, seed {seed}: {result.fault.message}")
    record = {
        "unit": unit,
        "seed": seed,
        "train": card.train,
        "epsilon": result.curve[-1].epsilon,
        "test": score_test(run, 1).accuracy,
    }
    log(f"{unit}, seed {seed}: test accuracy {record['test']:.4f}")
    return record


def _of(records: Sequence[dict[str, Any]], unit: str, name: str) -> list[float]:
    return [record[name] for record in records if record["unit"] == unit]


def _markdown(data: str, records: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            unit,
            f"{max(_of(records, unit, 'epsilon')):.3f}",
            f"{100 * statistics.fmean(_of(records, unit, 'test')):.1f} %",
            ", ".join(f"{100 * each:.1f}" for each in _of(records, unit, "test")),
        ]
        for unit in UNITS
    ]
    columns = ("protected", "epsilon spent, at most", "test accuracy", "seeds")
    return (
        f"{data}: {records[0]['train']} training samples of {CLIENTS} IID clients, epsilon "
        f"{EPSILON}, delta {DELTA:g}:\n\n{table(columns, rows)}"
    )


def _draw(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    for position, unit in enumerate(UNITS):
        values = [100 * each for each in _of(records, unit, "test")]
        axes.plot([position] * len(values), values, "o", label=f"per {unit}")
    axes.set_xticks(range(len(UNITS)), [f"per {unit}" for unit in UNITS])
    axes.margins(x=0.5)
    axes.set_ylabel("test accuracy, %")


if __name__ == "__main__":
    sys.exit(main())
