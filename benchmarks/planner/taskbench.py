"""The embedded planner on a file in TaskBench's form, with and without its demonstrations."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.common.scores import mean_interval
from edgewright.benchmarks.planner.requests import graph_f1
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.demonstrations import PlanDemonstration, read_demonstrations
from edgewright.tools.cards.taskbench import read_catalogue

FOLDS = 5
SEEDS = (0, 1, 2)
DESCRIPTION = (
    "TaskBench's catalogue of Hugging Face tools. The requests are a sample with transcribed "
    "labels, so the figures only approximate the leaderboard's. Demonstrations come from "
    "{folds}-fold cross-validation, so that no request is its own demonstration."
)


def score_taskbench(folder: Path, cache: Path) -> dict[str, Any]:
    """Return node F1 and edge F1 in percent.

    Args:
        folder: Folder with ``tools.json`` and ``dev.jsonl``.
        cache: Empty folder for the fitted heads; empty, since the fits are timed.
    """
    cards = read_catalogue(folder / "tools.json")
    samples = read_demonstrations(folder / "dev.jsonl", cards)
    truth = [(set(sample.tools), set(sample.links)) for sample in samples]
    without = make_embedded_planner(cards, folder=cache).plan_many(_requests(samples))
    fits_s: list[float] = []
    scores = []
    for seed in SEEDS:
        folds = _folds(samples, seed)
        plans: dict[int, Plan] = {}
        for fold in range(FOLDS):
            test_rows = [row for row, number in enumerate(folds) if number == fold]
            demonstrations = [samples[row] for row, number in enumerate(folds) if number != fold]
            planner = _fitted(cards, demonstrations, cache, fits_s)
            fold_plans = planner.plan_many(_requests([samples[row] for row in test_rows]))
            plans |= dict(zip(test_rows, fold_plans, strict=True))
        scores.append(graph_f1([plans[row] for row in range(len(samples))], truth))
    return {
        "samples": len(samples),
        "tools": len(cards),
        "no_demonstrations": graph_f1(without, truth),
        "cross_validated": dict(zip(SEEDS, scores, strict=True)),
        "slowest_fit_s": max(fits_s),
    }


def taskbench_table(figures: dict[str, Any]) -> str:
    """Return the Markdown table of node F1 and edge F1, with its explanation."""
    scores = figures["cross_validated"].values()
    means = [mean_interval([score[index] for score in scores]) for index in (0, 1)]
    without = figures["no_demonstrations"]
    rows = [
        ["no demonstrations", f"{without[0]:.1f}", f"{without[1]:.1f}"],
        [
            f"with demonstrations, mean of {len(SEEDS)} seeds (95 % interval)",
            *(f"{mean:.1f} ± {half:.1f}" for mean, half in means),
        ],
    ]
    return (
        f"{DESCRIPTION.format(folds=FOLDS)}\n\n"
        + table([f"embedded planner, {figures['samples']} requests", "node F1", "edge F1"], rows)
        + f"\nSlowest fit to the {figures['tools']} tools: {figures['slowest_fit_s']:.1f} s.\n"
    )


def _fitted(
    cards: CardRegistry,
    demonstrations: Sequence[PlanDemonstration],
    cache: Path,
    fits_s: list[float],
) -> EmbeddedPlanner:
    started_at = time.perf_counter()
    planner = make_embedded_planner(cards.with_demonstrations(demonstrations), folder=cache)
    planner.plan(PlanRequest(text="Describe the picture."))
    fits_s.append(time.perf_counter() - started_at)
    return planner


def _folds(samples: Sequence[PlanDemonstration], seed: int) -> list[int]:
    """Assign samples to folds; a request that occurs twice goes to one fold."""
    texts = sorted({sample.request for sample in samples})
    fold_numbers = np.random.default_rng(seed).permutation(len(texts)) % FOLDS
    fold_of = dict(zip(texts, fold_numbers.tolist(), strict=True))
    return [fold_of[sample.request] for sample in samples]


def _requests(samples: Sequence[PlanDemonstration]) -> list[PlanRequest]:
    return [PlanRequest(text=sample.request) for sample in samples]
