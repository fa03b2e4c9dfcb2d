"""The embedded planner on a file in TaskBench's form, with and without its demonstrations.

Run ``python -m edgewright.benchmarks.planner.taskbench FOLDER``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.planner.fitting.model import Choices, fit
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.text import heads
from edgewright.agents.text.vector_cache import VectorCache
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.planner.requests import graph_f1
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.demonstrations import PlanDemonstration, read_demonstrations
from edgewright.tools.cards.taskbench import read_catalogue

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDS = 5
#: Folds inside the demonstrations of a fold, on which the choices are made.
INNER_FOLDS = 2
SEEDS = (0, 1, 2)
#: What is chosen inside a fold: the planner's own choices, and each of them halved and doubled.
ALTERNATIVES = (
    Choices(),
    Choices(lexical_weight=0.5 * heads.LEXICAL_WEIGHT),
    Choices(lexical_weight=2 * heads.LEXICAL_WEIGHT),
    Choices(min_examples=heads.MIN_EXAMPLES // 2),
    Choices(min_examples=2 * heads.MIN_EXAMPLES),
    Choices(penalty=0.5 * heads.PENALTY),
    Choices(penalty=2 * heads.PENALTY),
)
_RESAMPLES = 1000
_MEASURES = ("node F1 (95 % interval)", "edge F1 (95 % interval)")
DESCRIPTION = (
    "TaskBench's catalogue of Hugging Face tools. The requests are a sample with transcribed "
    "labels, so the figures only approximate the leaderboard's. Demonstrations come from nested "
    "cross-validation: no request is its own demonstration, and the choices that are not fitted "
    "are made among {alternatives} alternatives on the demonstrations of each of {folds} folds "
    "alone. Intervals are of other requests (bootstrap)."
)

Graph = tuple[set[str], set[tuple[str, str]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with tools.json and dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as cache:
        figures = score_taskbench(options.folder, Path(cache))
    markdown = taskbench_table(figures)
    sys.stdout.write(markdown)
    write_results(options.out, "taskbench", figures, markdown, lambda axes: _draw(axes, figures))
    return 0


def score_taskbench(folder: Path, cache: Path) -> dict[str, Any]:
    """Return node F1 and edge F1 in percent, and their intervals.

    Args:
        folder: Folder with ``tools.json`` and ``dev.jsonl``.
        cache: Empty folder for the fitted heads; empty, since the fits are timed.
    """
    cards = read_catalogue(folder / "tools.json")
    samples = read_demonstrations(folder / "dev.jsonl", cards)
    without = make_embedded_planner(cards, folder=cache).plan_many(_requests(samples))
    validation = _Validation(cards, VectorCache(cache))
    runs = [validation.plans(samples, seed) for seed in SEEDS]
    return {
        "samples": len(samples),
        "tools": len(cards),
        "no_demonstrations": _scored([without], samples),
        "cross_validated": _scored(runs, samples),
        "by_seed": [graph_f1(plans, _truth(samples)) for plans in runs],
        "chosen": validation.chosen,
        "slowest_fit_s": max(validation.fits_s),
    }


@dataclass
class _Validation:
    """Nested cross-validation.

    Attributes:
        cards: The catalogue, without demonstrations.
        vectors: The encoder and its cache.
        chosen: The number of the alternative that each fold chose.
        fits_s: How long each fit took.
    """

    cards: CardRegistry
    vectors: VectorCache
    chosen: list[int] = field(default_factory=list)
    fits_s: list[float] = field(default_factory=list)

    def plans(self, samples: Sequence[PlanDemonstration], seed: int) -> list[Plan]:
        """Plan each sample with the demonstrations of the other folds."""
        plans: dict[int, Plan] = {}
        for fold, (rows, others) in enumerate(split(samples, FOLDS, seed)):
            log(f"TaskBench: fold {fold + 1} of {FOLDS}, seed {seed}")
            shown = [samples[row] for row in others]
            choices = ALTERNATIVES[self._best(shown, seed)]
            found = self._planned(shown, [samples[row] for row in rows], choices)
            plans |= dict(zip(rows, found, strict=True))
        return [plans[row] for row in range(len(samples))]

    def _best(self, samples: Sequence[PlanDemonstration], seed: int) -> int:
        """Return the number of the alternative with the highest sum of node F1 and edge F1."""
        sums = []
        for choices in ALTERNATIVES:
            plans: list[Plan] = []
            tried: list[PlanDemonstration] = []
            for rows, others in split(samples, INNER_FOLDS, seed):
                held_out = [samples[row] for row in rows]
                plans += self._planned([samples[row] for row in others], held_out, choices)
                tried += held_out
            sums.append(sum(graph_f1(plans, _truth(tried))))
        self.chosen.append(int(np.argmax(sums)))
        return self.chosen[-1]

    def _planned(
        self,
        shown: Sequence[PlanDemonstration],
        samples: Sequence[PlanDemonstration],
        choices: Choices,
    ) -> list[Plan]:
        cards = self.cards.with_demonstrations(shown)
        started_at = time.perf_counter()
        model = fit(collect(cards), self.vectors, choices)
        self.fits_s.append(time.perf_counter() - started_at)
        return EmbeddedPlanner(cards, lambda: model).plan_many(_requests(samples))


def _scored(
    runs: Sequence[Sequence[Plan]], samples: Sequence[PlanDemonstration]
) -> list[dict[str, float]]:
    """Return node F1 and edge F1, each as mean of the runs with its 95 % interval.

    The interval is of other requests of the same kind: all runs are scored on the same resamples.
    """
    truth = _truth(samples)

    def mean(rows: Sequence[int]) -> list[float]:
        chosen = [truth[row] for row in rows]
        scores = [graph_f1([plans[row] for row in rows], chosen) for plans in runs]
        return [float(each) for each in np.mean(scores, axis=0)]

    random = np.random.default_rng(0)
    resampled = [
        mean(random.choice(len(samples), len(samples)).tolist()) for _ in range(_RESAMPLES)
    ]
    low, high = np.percentile(resampled, (2.5, 97.5), axis=0)
    return [
        {"mean": value, "low": float(low[index]), "high": float(high[index])}
        for index, value in enumerate(mean(range(len(samples))))
    ]


def taskbench_table(figures: dict[str, Any]) -> str:
    """Return the Markdown table of node F1 and edge F1, with its explanation."""
    rows = [
        [
            name,
            *(
                f"{each['mean']:.1f} ({each['low']:.1f}\N{EN DASH}{each['high']:.1f})"
                for each in scores
            ),
        ]
        for name, scores in (
            ("no demonstrations", figures["no_demonstrations"]),
            (f"with demonstrations, mean of {len(SEEDS)} seeds", figures["cross_validated"]),
        )
    ]
    columns = [f"embedded planner, {figures['samples']} requests", *_MEASURES]
    return (
        f"{DESCRIPTION.format(alternatives=len(ALTERNATIVES), folds=FOLDS)}\n\n"
        + table(columns, rows)
        + f"\nSlowest fit to the {figures['tools']} tools: {figures['slowest_fit_s']:.1f} s.\n"
    )


def split(
    samples: Sequence[PlanDemonstration], folds: int, seed: int
) -> list[tuple[list[int], list[int]]]:
    """Split samples into folds; a request that occurs twice goes to one fold.

    Args:
        samples: The samples.
        folds: Number of folds.
        seed: Of the random assignment.

    Returns:
        For each fold, its rows and all other rows.
    """
    texts = sorted({sample.request for sample in samples})
    numbers = np.random.default_rng(seed).permutation(len(texts)) % folds
    fold_of = dict(zip(texts, numbers.tolist(), strict=True))
    own = [fold_of[sample.request] for sample in samples]
    return [
        (
            [row for row, number in enumerate(own) if number == fold],
            [row for row, number in enumerate(own) if number != fold],
        )
        for fold in range(folds)
    ]


def _truth(samples: Sequence[PlanDemonstration]) -> list[Graph]:
    return [(set(sample.tools), set(sample.links)) for sample in samples]


def _requests(samples: Sequence[PlanDemonstration]) -> list[PlanRequest]:
    return [PlanRequest(text=sample.request) for sample in samples]


def _draw(axes: Axes, figures: dict[str, Any]) -> None:
    for index, measure in enumerate(("node F1", "edge F1")):
        scores = [figures[name][index] for name in ("no_demonstrations", "cross_validated")]
        means = [each["mean"] for each in scores]
        errors = [
            [each["mean"] - each["low"] for each in scores],
            [each["high"] - each["mean"] for each in scores],
        ]
        places = [place + 0.4 * index for place in range(len(scores))]
        axes.bar(places, means, 0.4, yerr=errors, capsize=4, label=measure)
    axes.set_xticks([0.2, 1.2], ["no demonstrations", "with demonstrations"])
    axes.set_ylabel("F1 in percent, 95 % interval")
    axes.set_title("Plans of TaskBench requests")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
