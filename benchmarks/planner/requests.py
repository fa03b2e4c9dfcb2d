"""The request set of the planner benchmark, and the comparison of plans with its labels.

``data/planner`` holds requests that were written independently of the cards' demonstrations: a
development split to choose settings on, and a test split that is scored once per method. Its README
describes how they were made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.benchmarks.common.data import DATA
from edgewright.tools.contracts.images import ImageRef


@dataclass(frozen=True)
class Labelled:
    """A request and the plan it should get.

    Attributes:
        request: Input of the planner.
        kind: ``single``, ``multi``, ``none`` or ``follow-up``.
        tools: Card id of each task.
        links: Edges as pairs of card ids, source first.
        source: Origin of a request that others wrote; empty for our own.
    """

    request: PlanRequest
    kind: str
    tools: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    source: str = ""


def path_of(split: str) -> Path:
    """Return the file of the ``dev``, the ``test`` or the ``perception`` split."""
    return DATA / "planner" / f"{split}.jsonl"


def read(path: Path) -> list[Labelled]:
    """Read labelled requests from JSON lines in the form of ``data/planner``."""
    return [_labelled(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def links(plan: Plan) -> set[tuple[str, str]]:
    """Return a plan's edges as pairs of card ids."""
    tools = {task.id: task.tool for task in plan.tasks}
    return {(tools[parent], task.tool) for task in plan.tasks for parent in task.depends_on}


def right_tools(plan: Plan, truth: Labelled) -> bool:
    """Return whether a plan has the right set of cards."""
    return {task.tool for task in plan.tasks} == set(truth.tools)


def exact(plan: Plan, truth: Labelled) -> bool:
    """Return whether a plan has the right tasks, each the right number of times, and edges."""
    tools = sorted(task.tool for task in plan.tasks)
    return tools == sorted(truth.tools) and links(plan) == set(truth.links)


def graph_f1(
    plans: Sequence[Plan], truth: Sequence[tuple[set[str], set[tuple[str, str]]]]
) -> tuple[float, float]:
    """Return node F1 and edge F1 in percent, micro-averaged as TaskBench does.

    Args:
        plans: The plans.
        truth: The true set of tools and set of edges for each plan.
    """
    nodes = [0, 0]
    edges = [0, 0]
    for plan, (tools, true_edges) in zip(plans, truth, strict=True):
        planned = {task.tool for task in plan.tasks}
        nodes[0] += len(planned & tools)
        nodes[1] += len(planned) + len(tools)
        plan_edges = links(plan)
        edges[0] += len(plan_edges & true_edges)
        edges[1] += len(plan_edges) + len(true_edges)
    return 200 * nodes[0] / max(1, nodes[1]), 200 * edges[0] / max(1, edges[1])


def _labelled(row: dict[str, object]) -> Labelled:
    history = row.get("history", [])
    assert isinstance(history, list)
    request = PlanRequest(
        text=str(row["request"]),
        images=(_image(len(history)),) if row.get("image") else (),
        history=tuple(
            Turn(
                request=turn["request"],
                tasks=tuple(
                    Task(id=f"t{n}", tool=tool, task_type=tool)
                    for n, tool in enumerate(turn["plan_tools"], start=1)
                ),
                images=(_image(number),) if turn.get("image") else (),
            )
            for number, turn in enumerate(history)
        ),
    )
    tools, pairs = row["tools"], row["links"]
    assert isinstance(tools, list)
    assert isinstance(pairs, list)
    return Labelled(
        request=request,
        kind=str(row["kind"]),
        tools=tuple(tools),
        links=tuple((source, target) for source, target in pairs),
        source=str(row.get("source", "")),
    )


def _image(number: int) -> ImageRef:
    digest = f"{number:064x}"
    return ImageRef(uri=f"store:{digest}", sha256=digest, mime="image/png", width=64, height=64)
