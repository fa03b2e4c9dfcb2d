"""How well and how fast requests are planned, on our own request set and on a TaskBench file.

Run ``python -m edgewright.benchmarks.planner [--taskbench FOLDER]``; the folder holds
``tools.json`` and ``dev.jsonl`` in TaskBench's form.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.agents.planner.embedded import EmbeddedPlanner
from edgewright.agents.planner.encoder import minilm
from edgewright.agents.planner.examples import collect
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import AnyPlanner, make_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.planner_requests import Labelled, exact, graph_f1, load, right_tools
from edgewright.benchmarks.planner_rivals import NONE, LinearProbe, Nearest, ZeroShot
from edgewright.benchmarks.results import table, write_results
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.taskbench import read_catalogue, read_demonstrations
from edgewright.tools.settings import ChatModelSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDS = 5
SEEDS = (0, 1, 2)
BATCH = 1000
BINS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taskbench", type=Path, help="folder with tools.json and dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    cards = CardRegistry.builtin()
    test = load("test")
    naming = _naming(cards, test)
    planner = EmbeddedPlanner(cards)
    plans, planning = _planning(planner, test)
    bins = _reliability(plans, test)
    figures: dict[str, Any] = {"naming": naming, "planning": planning, "reliability": bins}
    parts = [
        "One card or none, whole requests of the test split:\n",
        _naming_table(naming),
        "\nWhole plans of the embedded planner, test split:\n",
        table(["", "value"], [[name, _shown(value)] for name, value in planning.items()]),
    ]
    if options.taskbench:
        figures["taskbench"] = _taskbench(options.taskbench)
        rows = [[name, *pair] for name, pair in figures["taskbench"].items()]
        parts += [
            "\nTaskBench, Hugging Face tools: a development sample with transcribed labels, so the "
            "figures are close to leaderboard figures but are none:\n",
            table(["embedded planner", "node F1", "edge F1"], rows),
        ]
    markdown = "\n".join(parts)
    sys.stdout.write(markdown)
    write_results(options.out, "planner", figures, markdown, lambda axes: _draw(axes, bins))
    return 0


def _naming(cards: CardRegistry, test: Sequence[Labelled]) -> dict[str, dict[str, Any]]:
    """Score every method on the requests that ask for one card or for none."""
    asked = [truth for truth in test if truth.kind in ("single", "none")]
    examples = collect(cards)
    embedded = make_planner(cards)
    methods: dict[str, Callable[[PlanRequest], str]] = {}
    for name, rival in (
        ("zero-shot embedding", _tuned_zero_shot(cards)),
        (f"nearest {5} demonstrations", Nearest(examples)),
        ("linear probe", LinearProbe(examples)),
    ):
        methods[name] = lambda request, rival=rival: rival.name(request.text)  # type: ignore[misc]
    methods["embedded planner"] = lambda request: _only_tool(embedded.plan(request))
    settings = ChatModelSettings.from_environment()
    if settings.configured:
        chat: AnyPlanner = make_planner(cards, chat=settings)
        methods[f"chat model {settings.model}"] = lambda request: _only_tool(chat.plan(request))
    return {name: _named(method, asked) for name, method in methods.items()}


def _tuned_zero_shot(cards: CardRegistry) -> ZeroShot:
    """Choose the baseline's threshold on the development split."""
    asked = [truth for truth in load("dev") if truth.kind in ("single", "none")]

    def right(threshold: float) -> int:
        rival = ZeroShot(cards, threshold)
        return sum(rival.name(truth.request.text) == _truth(truth) for truth in asked)

    return ZeroShot(cards, max((step / 20 for step in range(1, 11)), key=right))


def _named(method: Callable[[PlanRequest], str], asked: Sequence[Labelled]) -> dict[str, Any]:
    method(asked[0].request)
    times: list[float] = []
    said: list[str] = []
    for truth in asked:
        begin = time.perf_counter()
        said.append(method(truth.request))
        times.append((time.perf_counter() - begin) * 1000)
    wanted = [_truth(truth) for truth in asked]
    right = sum(one == other for one, other in zip(said, wanted, strict=True))
    return {
        "accuracy": right / len(asked),
        "interval": wilson(right, len(asked)),
        "macro_f1": _macro_f1(said, wanted),
        "count": len(asked),
        **_times(times),
    }


def _planning(
    planner: EmbeddedPlanner, test: Sequence[Labelled]
) -> tuple[list[Plan], dict[str, Any]]:
    """Score whole plans, and time them one by one and in a batch."""
    requests = [truth.request for truth in test]
    planner.plan(requests[0])
    plans, times, encodes = [], [], []
    for request in requests:
        begin = time.perf_counter()
        plans.append(planner.plan(request))
        middle = time.perf_counter()
        minilm().vectors([request.text])
        times.append((middle - begin) * 1000)
        encodes.append((time.perf_counter() - middle) * 1000)
    many = [requests[n % len(requests)] for n in range(BATCH)]
    begin = time.perf_counter()
    planner.plan_many(many)
    batch_s = time.perf_counter() - begin
    right = [right_tools(plan, truth) for plan, truth in zip(plans, test, strict=True)]
    perfect = [exact(plan, truth) for plan, truth in zip(plans, test, strict=True)]
    multi = [ok for ok, truth in zip(perfect, test, strict=True) if truth.kind == "multi"]
    refused = [not plan.tasks for plan in plans]
    none = [not truth.tools for truth in test]
    declined = sum(a and b for a, b in zip(refused, none, strict=True))
    return plans, {
        "right set of cards": _share(sum(right), len(right)),
        "exact plan, several steps": _share(sum(multi), len(multi)),
        "exact plan, follow-ups": _share(
            sum(ok for ok, truth in zip(perfect, test, strict=True) if truth.kind == "follow-up"),
            sum(truth.kind == "follow-up" for truth in test),
        ),
        "none-of-these precision": _share(declined, sum(refused)),
        "none-of-these recall": _share(declined, sum(none)),
        "expected calibration error": _calibration_error(_reliability(plans, test), len(plans)),
        **_times(times),
        "p50 by one MiniLM encode": statistics.median(times) / statistics.median(encodes),
        "batch speed-up": sum(times) / len(times) * BATCH / 1000 / batch_s,
    }


def _reliability(plans: Sequence[Plan], test: Sequence[Labelled]) -> list[dict[str, float]]:
    """Sort plans by confidence into bins: how sure, how often right, how many."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for plan, truth in zip(plans, test, strict=True):
        place = min(int(plan.confidence * BINS), BINS - 1)
        bins[place].append((plan.confidence, exact(plan, truth)))
    return [
        {
            "confidence": statistics.fmean(sure for sure, _ in found),
            "accuracy": statistics.fmean(ok for _, ok in found),
            "count": len(found),
        }
        for found in bins
        if found
    ]


def _taskbench(folder: Path) -> dict[str, tuple[float, float]]:
    """Score the embedded planner on a TaskBench file, without and with its demonstrations."""
    cards = read_catalogue(folder / "tools.json")
    shown = read_demonstrations(folder / "dev.jsonl", cards)
    truth = [(set(sample.tools), set(sample.links)) for sample in shown]
    requests = [PlanRequest(text=sample.request) for sample in shown]
    bare = EmbeddedPlanner(cards).plan_many(requests)
    scores = {"no demonstrations": _rounded(graph_f1(bare, truth))}
    for seed in SEEDS:
        folds = np.random.default_rng(seed).permutation(len(shown)) % FOLDS
        plans: dict[int, Plan] = {}
        for fold in range(FOLDS):
            held = [n for n in range(len(shown)) if folds[n] == fold]
            others = [shown[n] for n in range(len(shown)) if folds[n] != fold]
            made = EmbeddedPlanner(cards, others).plan_many([requests[n] for n in held])
            plans |= dict(zip(held, made, strict=True))
        in_order = [plans[n] for n in range(len(shown))]
        scores[f"{FOLDS}-fold, seed {seed}"] = _rounded(graph_f1(in_order, truth))
    return scores


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + (z / (2 * count)) ** 2) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _macro_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    scores = []
    for label in sorted(set(wanted)):
        hits = sum(a == b == label for a, b in zip(said, wanted, strict=True))
        scores.append(2 * hits / (sum(a == label for a in said) + wanted.count(label)))
    return statistics.fmean(scores)


def _calibration_error(bins: Sequence[dict[str, float]], count: int) -> float:
    return sum(abs(b["confidence"] - b["accuracy"]) * b["count"] for b in bins) / count


def _only_tool(plan: Plan) -> str:
    tools = {task.tool for task in plan.tasks}
    return tools.pop() if len(tools) == 1 else "+".join(sorted(tools)) or NONE


def _truth(truth: Labelled) -> str:
    return truth.tools[0] if truth.tools else NONE


def _share(right: int, count: int) -> dict[str, Any]:
    return {"share": right / max(1, count), "interval": wilson(right, count), "count": count}


def _times(times: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50_ms": cuts[49], "p95_ms": cuts[94]}


def _rounded(pair: tuple[float, float]) -> tuple[float, float]:
    return round(pair[0], 1), round(pair[1], 1)


def _naming_table(naming: dict[str, dict[str, Any]]) -> str:
    return table(
        ["method", "accuracy", "95 % interval", "macro-F1", "p50 ms", "p95 ms"],
        [
            [
                name,
                f"{100 * score['accuracy']:.1f} %",
                _interval(score["interval"]),
                f"{100 * score['macro_f1']:.1f} %",
                f"{score['p50_ms']:.1f}",
                f"{score['p95_ms']:.1f}",
            ]
            for name, score in naming.items()
        ],
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{100 * value['share']:.1f} % ({_interval(value['interval'])}, n={value['count']})"
    return f"{value:.3f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f} %"  # noqa: RUF001


def _draw(axes: Axes, bins: Sequence[dict[str, float]]) -> None:
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="perfect")
    sizes = [20 + 2 * b["count"] for b in bins]
    sure = [b["confidence"] for b in bins]
    axes.scatter(sure, [b["accuracy"] for b in bins], s=sizes, label="plans, by number")
    axes.set_xlabel("confidence of the plan")
    axes.set_ylabel("share of exact plans")
    axes.set_title("Reliability on the test split")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
