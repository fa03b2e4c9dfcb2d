"""Which image wins where a question compares several."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright.agents.planner.plan import Plan
from edgewright.agents.responder.layout import listed
from edgewright.agents.responder.result import TaskResult


def winners(
    plan: Plan, results: Mapping[str, TaskResult], image_of: Mapping[str, str]
) -> list[str]:
    """Say for each question that compares images which of them wins.

    Args:
        plan: The plan.
        results: The results by task id; an output with a ``comparison`` takes part.
        image_of: The name of the image that each task is about.

    Returns:
        A sentence for each such question that at least two images answer.
    """
    compared: dict[str, dict[str, float]] = {}
    for task in plan.tasks:
        result, image = results.get(task.id), image_of.get(task.id)
        if image and result and (comparison := result.output.get("comparison")):
            compared.setdefault(comparison["best"], {})[image] = comparison["measure"]
    return [_sentence(best, of) for best, of in compared.items() if len(of) > 1]


def _sentence(best: str, measures: Mapping[str, float]) -> str:
    most = max(measures.values())
    first = [image for image, measure in measures.items() if measure == most]
    if len(first) == len(measures):
        return f"{listed(first)} do not differ in this."
    if len(first) > 1:
        return f"{listed(first)} come first, with equal measures."
    return f"{first[0]} {best}."
