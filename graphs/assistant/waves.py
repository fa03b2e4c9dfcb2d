"""Which tasks of a plan can run now, and which will not run at all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import blocked, skipped, undecided

_OUTPUT = re.compile(r"<(t\d+)>")

Results = Mapping[str, TaskResult]


def ready_tasks(plan: Plan, results: Results) -> list[Task]:
    """List the tasks without a result that can run now.

    Their dependencies have all succeeded, and their condition, if any, holds.

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
        and _holds(task, results) is True
    ]


def settled_tasks(plan: Plan, results: Results) -> dict[str, TaskResult]:
    """Return a result for every task that will not run.

    A task does not run if it depends, directly or not, on a failed or skipped one, if its condition
    does not hold, or if that cannot be decided although all results are there.

    Args:
        plan: The plan; a task comes after its dependencies.
        results: The results so far, by task id.

    Returns:
        The new results only, by task id.
    """
    found: dict[str, TaskResult] = {}
    for task in plan.tasks:
        known = {**results, **found}
        if task.id in known:
            continue
        needed = [known[need] for need in task.depends_on if need in known]
        cause = next((result for result in needed if result.status != "ok"), None)
        if cause is not None:
            found[task.id] = blocked(task, cause)
        elif task.when and all(check in known for check in task.checks):
            holds = _holds(task, known)
            if holds is not True:
                asked = {other.id: other for other in plan.tasks}
                found[task.id] = (
                    undecided(task, asked, known) if holds is None else skipped(task, asked, known)
                )
    return found


def _holds(task: Task, results: Results) -> bool | None:
    """Decide a task's condition; None as long as a result is missing or does not say."""
    if task.when is None:
        return True
    if not all(check in results for check in task.checks):
        return None
    return task.when.holds(
        {check: results[check].output for check in task.checks if results[check].status == "ok"}
    )


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
