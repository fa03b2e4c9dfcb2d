"""Which tasks of a plan can run now, and which will not run at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import blocked, skipped, undecided
from edgewright.tools.cards.registry import FUSION_CARD

_OUTPUT = re.compile(r"<(t\d+)>")

Results = Mapping[str, TaskResult]


def ready_tasks(plan: Plan, results: Results) -> list[Task]:
    """List the tasks without a result that can run now.

    Their dependencies have all succeeded, and their condition, if any, holds. A fusion runs when
    all its dependencies have ended and at least one has succeeded.

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
        and all(need in results for need in task.depends_on)
        and _cause(task, [results[need] for need in task.depends_on]) is None
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
        if task.tool == FUSION_CARD and len(needed) < len(task.depends_on):
            continue
        cause = _cause(task, needed)
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


def _cause(task: Task, needed: Sequence[TaskResult]) -> TaskResult | None:
    """Return the result that keeps a task from running; None if none does."""
    failed = [result for result in needed if result.status != "ok"]
    if task.tool == FUSION_CARD and len(failed) < len(needed):
        return None
    return next(iter(failed), None)


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

    Where it is the whole argument, that is the output's ``signal``, if it has one: a form for other
    experts, such as a pose's coordinates. Otherwise it is the output's text. A fusion gets labels
    with scores, or why there are none.

    The output is data: it can lengthen an argument but cannot add a task, because the plan is
    frozen.

    Args:
        task: The task.
        results: The results of its dependencies, by task id.
    """

    def output(match: re.Match[str]) -> str:
        result = results.get(match[1])
        if result is not None and task.tool == FUSION_CARD:
            return _estimate(result)
        return str(result.output.get("text", "")) if result else match[0]

    args = {
        name: _signal(value, results) or _OUTPUT.sub(output, value)
        for name, value in task.args.items()
    }
    return task.model_copy(update={"args": args})


def _signal(value: str, results: Results) -> str:
    """Return the signal of the task that an argument consists of; empty if there is none."""
    match = _OUTPUT.fullmatch(value)
    result = results.get(match[1]) if match else None
    return str(result.output.get("signal", "")) if result else ""


def _estimate(result: TaskResult) -> str:
    """Return a result as the argument of a fusion: labels with scores, or what is missing."""
    source = str(result.output.get("source") or result.tool.replace("-", " "))
    if result.status != "ok":
        reason = result.error.message if result.error else result.status
        return json.dumps({"source": source, "missing": reason[:300]})
    labels = result.output.get("labels") or [{"label": result.output.get("text", ""), "score": 1.0}]
    pairs = [[str(one["label"])[:100], one["score"]] for one in labels[:10]]
    return json.dumps({"source": source, "labels": pairs})
