"""The request set of the planner benchmark, and how a plan is compared with it.

``data/planner`` holds requests that were written apart from the cards' demonstrations, in a
development split, for settings, and a test split that is scored once per method; its README says
how they were made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.benchmarks.common.data import DATA
from edgewright.tools.contracts.images import ImageRef


@dataclass(frozen=True)
class Labelled:
    """A request and the plan it should get.

    Attributes:
        request: What the planner is given.
        kind: ``single``, ``multi``, ``none`` or ``follow-up``.
        tools: Card ids, once for each task.
        links: Pairs of card ids, source first.
        source: Who asked it, for requests that others wrote; empty for our own.
    """

    request: PlanRequest
    kind: str
    tools: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    source: str = ""


def path_of(split: str) -> Path:
    """Return the file of the ``dev`` or the ``test`` split."""
    return DATA / "planner" / f"{split}.jsonl"


def read(path: Path) -> list[Labelled]:
    """Read labelled requests, one a line, in the form of ``data/planner``."""
    return [_labelled(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def links(plan: Plan) -> set[tuple[str, str]]:
    """Return a plan's edges as pairs of card ids."""
    tools = {task.id: task.tool for task in plan.tasks}
    return {(tools[parent], task.tool) for task in plan.tasks for parent in task.depends_on}


def right_tools(plan: Plan, truth: Labelled) -> bool:
    """Whether a plan has the right set of cards."""
    return {task.tool for task in plan.tasks} == set(truth.tools)


def exact(plan: Plan, truth: Labelled) -> bool:
    """Whether a plan has the right tasks, each as often as asked for, and the right edges."""
    tools = sorted(task.tool for task in plan.tasks)
    return tools == sorted(truth.tools) and links(plan) == set(truth.links)


def graph_f1(
    plans: Sequence[Plan], truth: Sequence[tuple[set[str], set[tuple[str, str]]]]
) -> tuple[float, float]:
    """Return node F1 and edge F1 in percent, micro-averaged as TaskBench does.

    Args:
        plans: What was planned.
        truth: For each plan, the set of tools and the set of edges.
    """
    nodes = [0, 0]
    edges = [0, 0]
    for plan, (tools, wanted) in zip(plans, truth, strict=True):
        planned = {task.tool for task in plan.tasks}
        nodes[0] += len(planned & tools)
        nodes[1] += len(planned) + len(tools)
        drawn = links(plan)
        edges[0] += len(drawn & wanted)
        edges[1] += len(drawn) + len(wanted)
    return 200 * nodes[0] / max(1, nodes[1]), 200 * edges[0] / max(1, edges[1])


def _labelled(row: dict[str, object]) -> Labelled:
    history = row.get("history", [])
    assert isinstance(history, list)
    request = PlanRequest(
        text=str(row["request"]),
        images=(_picture(len(history)),) if row.get("image") else (),
        history=tuple(
            Turn(
                request=turn["request"],
                plan_tools=tuple(turn["plan_tools"]),
                images=(_picture(number),) if turn.get("image") else (),
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


def _picture(number: int) -> ImageRef:
    digest = f"{number:064x}"
    return ImageRef(uri=f"store:{digest}", sha256=digest, mime="image/png", width=64, height=64)
