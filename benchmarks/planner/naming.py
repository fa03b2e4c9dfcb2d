"""Which card a request asks for, or none: every method on the requests that have one answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.common.scores import format_share, macro_f1, quantiles, share
from edgewright.benchmarks.planner.baselines import (
    NEIGHBOURS,
    NONE,
    LinearProbe,
    Nearest,
    ZeroShot,
)
from edgewright.benchmarks.planner.requests import Labelled, path_of, read
from edgewright.tools.cards import CardRegistry
from edgewright.tools.settings import ChatModelSettings

VISION = ("image-classification", "image-to-text", "visual-question-answering")
#: What a chat model is taken to have said when the embedded planner had to stand in for it.
NO_ANSWER = "no usable answer"

Method = Callable[[PlanRequest], str]


@dataclass(frozen=True)
class _Answers:
    said: list[str]
    times_ms: list[float]


def all_methods(cards: CardRegistry, embedded: EmbeddedPlanner) -> dict[str, Method]:
    """Return the baselines, the embedded planner and, if one is configured, the chat model.

    Args:
        cards: The catalogue.
        embedded: The embedded planner over it.
    """
    examples = collect(cards)
    zero_shot = _tuned_zero_shot(cards)
    nearest = Nearest(examples)
    probe = LinearProbe(examples)
    methods: dict[str, Method] = {
        "zero-shot embedding": lambda request: zero_shot.name(request.text),
        f"{NEIGHBOURS} nearest demonstrations": lambda request: nearest.name(request.text),
        "linear probe": lambda request: probe.name(request.text),
        "embedded planner": lambda request: _only_tool(embedded.plan(request)),
    }
    settings = ChatModelSettings.from_environment()
    if settings.configured:
        chat = make_planner(cards, chat=settings)
        methods[f"chat model {settings.model}"] = lambda request: _by_chat(chat.plan(request))
    return methods


def score_naming(
    methods: Mapping[str, Method], own: Sequence[Labelled], others: Sequence[Labelled]
) -> dict[str, dict[str, Any]]:
    """Score every method; the whole catalogue and "none" are the alternatives in each case.

    Args:
        methods: What names a card, by the name of the method.
        own: Requests of a split; those for several cards and follow-ups are left out.
        others: Requests that others wrote.

    Returns:
        For each method its accuracy, macro-F1, times, and accuracy by kind of request.
    """
    asked = [truth for truth in own if truth.kind in ("single", "none")]
    kinds = _kinds(asked, others)
    scores = {}
    for name, method in methods.items():
        answers = _answers(method, [*asked, *others])
        said = answers.said[: len(asked)]
        wanted = [_wanted(truth) for truth in asked]
        times_ms = answers.times_ms[: len(asked)]
        scores[name] = {
            "accuracy": _accuracy(said, wanted),
            "macro_f1": macro_f1(said, wanted),
            **quantiles(times_ms),
            "times_ms": [round(time_ms, 3) for time_ms in times_ms],
            "by_kind": {
                kind: _accuracy(
                    [answers.said[row] for row in rows],
                    [_wanted([*asked, *others][row]) for row in rows],
                )
                for kind, rows in kinds.items()
            },
        }
    return scores


def naming_table(scores: dict[str, dict[str, Any]]) -> str:
    """Return accuracy, macro-F1 and latency of every method."""
    return table(
        ["method", "accuracy (95 % interval)", "macro-F1", "p50 ms", "p95 ms"],
        [
            [
                name,
                format_share(score["accuracy"]),
                f"{100 * score['macro_f1']:.1f} %",
                f"{score['p50_ms']:.1f}",
                f"{score['p95_ms']:.1f}",
            ]
            for name, score in scores.items()
        ],
    )


def kinds_table(scores: dict[str, dict[str, Any]]) -> str:
    """Return every method's accuracy on every kind of request."""
    kinds = next(iter(scores.values()))["by_kind"]
    return table(
        ["requests", "n", *scores],
        [
            [
                kind,
                found["count"],
                *(format_share(score["by_kind"][kind]) for score in scores.values()),
            ]
            for kind, found in kinds.items()
        ],
    )


def _tuned_zero_shot(cards: CardRegistry) -> ZeroShot:
    """Choose the baseline's threshold on the development split."""
    asked = [truth for truth in read(path_of("dev")) if truth.kind in ("single", "none")]
    texts = [truth.request.text for truth in asked]
    threshold = ZeroShot(cards, 0).best_threshold(texts, [_wanted(truth) for truth in asked])
    return ZeroShot(cards, threshold)


def _answers(method: Method, asked: Sequence[Labelled]) -> _Answers:
    method(asked[0].request)  # the first use fits or loads what a method needs
    answers = _Answers([], [])
    for truth in asked:
        begin = time.perf_counter()
        answers.said.append(method(truth.request))
        answers.times_ms.append((time.perf_counter() - begin) * 1000)
    return answers


def _kinds(own: Sequence[Labelled], others: Sequence[Labelled]) -> dict[str, list[int]]:
    """Sort requests into kinds: the row numbers of each, the others' after our own."""
    kinds: dict[str, list[int]] = {"three vision tasks": [], "other cards": [], "none of these": []}
    for row, truth in enumerate(own):
        wanted = _wanted(truth)
        kind = "three vision tasks" if wanted in VISION else "other cards"
        kinds["none of these" if wanted == NONE else kind].append(row)
    for row, truth in enumerate(others, start=len(own)):
        kinds.setdefault("by others, all", []).append(row)
        kinds.setdefault(f"by others: {truth.source}", []).append(row)
    return kinds


def _accuracy(said: Sequence[str], wanted: Sequence[str]) -> dict[str, Any]:
    return share(sum(a == b for a, b in zip(said, wanted, strict=True)), len(wanted))


def _wanted(truth: Labelled) -> str:
    return truth.tools[0] if truth.tools else NONE


def _only_tool(plan: Plan) -> str:
    tools = {task.tool for task in plan.tasks}
    return tools.pop() if len(tools) == 1 else "+".join(sorted(tools)) or NONE


def _by_chat(plan: Plan) -> str:
    return _only_tool(plan) if plan.planner == "chat-model" else NO_ANSWER
