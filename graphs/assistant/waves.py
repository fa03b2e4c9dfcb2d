"""Which tasks of a plan can run now, and which never can."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import blocked

_OUTPUT = re.compile(r"<(t\d+)>")

Results = Mapping[str, TaskResult]


def ready_tasks(plan: Plan, results: Results) -> list[Task]:
    """List the tasks without a result whose dependencies have all succeeded.

    Args:
        plan: The plan.
        results: The results so far, by task id.

    Returns:
        The tasks, with the outputs of their dependencies filled into their arguments.
    """
    return [
        fill_in(task, results)
        for task in plan.tasks
        if task.id not in results
        and all(need in results and results[need].status == "ok" for need in task.depends_on)
    ]


def blocked_tasks(plan: Plan, results: Results) -> dict[str, TaskResult]:
    """Return a result for every task that depends, directly or not, on a failed one.

    Args:
        plan: The plan; a task comes after its dependencies.
        results: The results so far, by task id.

    Returns:
        The new results only, by task id.
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
    """Replace ``<t1>`` in the arguments with the output of task ``t1``.

    The output is data: it can lengthen an argument but cannot add a task, because the plan is
    frozen.

    Args:
        task: The task.
        results: The results of its dependencies, by task id.
    """

    def output(match: re.Match[str]) -> str:
        result = results.get(match[1])
        return str(result.output.get("text", "")) if result else match[0]

    args = {name: _OUTPUT.sub(output, value) for name, value in task.args.items()}
    return task.model_copy(update={"args": args})
