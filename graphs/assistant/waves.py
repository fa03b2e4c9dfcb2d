"""Which tasks of a plan can run now, and which never will."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import blocked

_OUTPUT = re.compile(r"<(t\d+)>")

Results = Mapping[str, TaskResult]


def ready_tasks(plan: Plan, results: Results) -> list[Task]:
    """List the tasks that have no result yet and all of whose needs ended well.

    Args:
        plan: The plan.
        results: What is there, by task id.

    Returns:
        The tasks, with the outputs that they need filled into their arguments.
    """
    return [
        fill_in(task, results)
        for task in plan.tasks
        if task.id not in results
        and all(need in results and results[need].status == "ok" for need in task.depends_on)
    ]


def blocked_tasks(plan: Plan, results: Results) -> dict[str, TaskResult]:
    """Give a result to every task that needs one which failed, down the whole chain.

    Args:
        plan: The plan; a task stands behind those that it needs.
        results: What is there, by task id.

    Returns:
        The new results alone, by task id.
    """
    found: dict[str, TaskResult] = {}
    for task in plan.tasks:
        known = {**results, **found}
        needed = [known[need] for need in task.depends_on if need in known]
        cause = next((result for result in needed if result.status != "ok"), None)
        if cause is not None and task.id not in known:
            found[task.id] = blocked(task, cause)
    return found


def fill_in(task: Task, results: Results) -> Task:
    """Put the outputs of earlier tasks where the arguments name them as ``<t1>``.

    What is filled in is data: it can lengthen an argument but never adds a task, because the plan
    is frozen.

    Args:
        task: The task.
        results: The results of those that it needs, by task id.
    """

    def output(match: re.Match[str]) -> str:
        result = results.get(match[1])
        return str(result.output.get("text", "")) if result else match[0]

    args = {name: _OUTPUT.sub(output, value) for name, value in task.args.items()}
    return task.model_copy(update={"args": args})
