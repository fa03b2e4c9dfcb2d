"""The embedded planner on a file in TaskBench's form, without and with its demonstrations."""

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
WHAT_IT_IS = (
    "TaskBench's catalogue of Hugging Face tools. The requests are a sample and their labels are "
    "transcribed: close to leaderboard figures, but none. With demonstrations: {folds}-fold "
    "cross-validation, so never a sample's own."
)


def score_taskbench(folder: Path, kept: Path) -> dict[str, Any]:
    """Score node F1 and edge F1 in percent.

    Args:
        folder: Holds ``tools.json`` and ``dev.jsonl``.
        kept: Empty folder for the fitted heads, so that the fits are timed.
    """
    cards = read_catalogue(folder / "tools.json")
    samples = read_demonstrations(folder / "dev.jsonl", cards)
    truth = [(set(sample.tools), set(sample.links)) for sample in samples]
    bare = make_embedded_planner(cards, folder=kept).plan_many(_requests(samples))
    fits_s: list[float] = []
    seeds = []
    for seed in SEEDS:
        folds = _folds(samples, seed)
        plans: dict[int, Plan] = {}
        for fold in range(FOLDS):
            held = [row for row, its in enumerate(folds) if its == fold]
            shown = [samples[row] for row, its in enumerate(folds) if its != fold]
            planner = _fitted(cards, shown, kept, fits_s)
            made = planner.plan_many(_requests([samples[row] for row in held]))
            plans |= dict(zip(held, made, strict=True))
        seeds.append(graph_f1([plans[row] for row in range(len(samples))], truth))
    return {
        "samples": len(samples),
        "tools": len(cards),
        "no_demonstrations": graph_f1(bare, truth),
        "cross_validated": dict(zip(SEEDS, seeds, strict=True)),
        "slowest_fit_s": max(fits_s),
    }


def taskbench_table(found: dict[str, Any]) -> str:
    """Return node F1 and edge F1, and what they are figures of."""
    seeds = found["cross_validated"].values()
    means = [mean_interval([seed[place] for seed in seeds]) for place in (0, 1)]
    bare = found["no_demonstrations"]
    rows = [
        ["no demonstrations", f"{bare[0]:.1f}", f"{bare[1]:.1f}"],
        [
            f"with demonstrations, mean of {len(SEEDS)} seeds (95 % interval)",
            *(f"{mean:.1f} ± {half:.1f}" for mean, half in means),
        ],
    ]
    return (
        f"{WHAT_IT_IS.format(folds=FOLDS)}\n\n"
        + table([f"embedded planner, {found['samples']} requests", "node F1", "edge F1"], rows)
        + f"\nSlowest fit to the {found['tools']} tools: {found['slowest_fit_s']:.1f} s.\n"
    )


def _fitted(
    cards: CardRegistry, shown: Sequence[PlanDemonstration], kept: Path, fits_s: list[float]
) -> EmbeddedPlanner:
    begin = time.perf_counter()
    planner = make_embedded_planner(cards.with_demonstrations(shown), folder=kept)
    planner.plan(PlanRequest(text="Describe the picture."))
    fits_s.append(time.perf_counter() - begin)
    return planner


def _folds(samples: Sequence[PlanDemonstration], seed: int) -> list[int]:
    """Deal the samples out to folds; a request that occurs twice goes to one fold."""
    texts = sorted({sample.request for sample in samples})
    dealt = np.random.default_rng(seed).permutation(len(texts)) % FOLDS
    fold_of = dict(zip(texts, dealt.tolist(), strict=True))
    return [fold_of[sample.request] for sample in samples]


def _requests(samples: Sequence[PlanDemonstration]) -> list[PlanRequest]:
    return [PlanRequest(text=sample.request) for sample in samples]
