"""Accuracy of every method at naming the one card, or none, that serves a request."""

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
#: Answer attributed to a chat model when the planner fell back to the embedded one.
NO_ANSWER = "no usable answer"

Method = Callable[[PlanRequest], str]


@dataclass(frozen=True)
class _Answers:
    names: list[str]
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
    """Score every method; each request may be answered with any card of the catalogue or none.

    Args:
        methods: Functions that name a card, by the name of the method.
        own: Requests of a split; follow-ups and those for several cards are left out.
        others: Requests that others wrote.

    Returns:
        Accuracy, macro-F1, times, and accuracy by kind of request, for each method.
    """
    scored = [truth for truth in own if truth.kind in ("single", "none")]
    kinds = _kinds(scored, others)
    scores = {}
    for name, method in methods.items():
        answers = _answers(method, [*scored, *others])
        names = answers.names[: len(scored)]
        expected = [_expected(truth) for truth in scored]
        times_ms = answers.times_ms[: len(scored)]
        scores[name] = {
            "accuracy": _accuracy(names, expected),
            "macro_f1": macro_f1(names, expected),
            **quantiles(times_ms),
            "times_ms": [round(time_ms, 3) for time_ms in times_ms],
            "by_kind": {
                kind: _accuracy(
                    [answers.names[row] for row in rows],
                    [_expected([*scored, *others][row]) for row in rows],
                )
                for kind, rows in kinds.items()
            },
        }
    return scores


def naming_table(scores: dict[str, dict[str, Any]]) -> str:
    """Return the Markdown table of accuracy, macro-F1 and latency by method."""
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
    """Return the Markdown table of accuracy by kind of request and method."""
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
    """Return the zero-shot baseline with the best threshold on the development split."""
    scored = [truth for truth in read(path_of("dev")) if truth.kind in ("single", "none")]
    texts = [truth.request.text for truth in scored]
    threshold = ZeroShot(cards, 0).best_threshold(texts, [_expected(truth) for truth in scored])
    return ZeroShot(cards, threshold)


def _answers(method: Method, scored: Sequence[Labelled]) -> _Answers:
    method(scored[0].request)  # a warm-up: the first call fits or loads the method
    answers = _Answers([], [])
    for truth in scored:
        started_at = time.perf_counter()
        answers.names.append(method(truth.request))
        answers.times_ms.append((time.perf_counter() - started_at) * 1000)
    return answers


def _kinds(own: Sequence[Labelled], others: Sequence[Labelled]) -> dict[str, list[int]]:
    """Return the row numbers of each kind of request; rows of others follow our own."""
    kinds: dict[str, list[int]] = {"three vision tasks": [], "other cards": [], "none of these": []}
    for row, truth in enumerate(own):
        expected = _expected(truth)
        kind = "three vision tasks" if expected in VISION else "other cards"
        kinds["none of these" if expected == NONE else kind].append(row)
    for row, truth in enumerate(others, start=len(own)):
        kinds.setdefault("by others, all", []).append(row)
        kinds.setdefault(f"by others: {truth.source}", []).append(row)
    return kinds


def _accuracy(names: Sequence[str], expected: Sequence[str]) -> dict[str, Any]:
    return share(sum(a == b for a, b in zip(names, expected, strict=True)), len(expected))


def _expected(truth: Labelled) -> str:
    return truth.tools[0] if truth.tools else NONE


def _only_tool(plan: Plan) -> str:
    tools = {task.tool for task in plan.tasks}
    return tools.pop() if len(tools) == 1 else "+".join(sorted(tools)) or NONE


def _by_chat(plan: Plan) -> str:
    return _only_tool(plan) if plan.planner == "chat-model" else NO_ANSWER
