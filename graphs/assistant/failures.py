"""Failed tasks: retried if that can help, otherwise turned into a result that says why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from langgraph.errors import NodeTimeoutError
from langgraph.types import RetryPolicy

from edgewright.agents.planner.plan import Task
from edgewright.agents.responder.result import TaskResult, TaskStatus
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
    ErrorInfo,
    RefusedError,
    ScopeError,
    TransientError,
    UnavailableError,
)

_log = logging.getLogger(__name__)


def worth_retrying(error: Exception) -> bool:
    """Return whether a retry makes sense.

    Only for transient errors, and not after a missed deadline: a retry would exceed it again.
    """
    return isinstance(error, TransientError) and not isinstance(error, DeadlineError)


RETRY = RetryPolicy(initial_interval=0.3, max_interval=2.0, max_attempts=3, retry_on=worth_retrying)


def as_info(error: BaseException) -> ErrorInfo:
    """Describe any error for a person; a defect is logged with its traceback."""
    if isinstance(error, EdgewrightError):
        return error.info()
    if isinstance(error, NodeTimeoutError):
        return DeadlineError(
            f"the task did not end within {error.timeout:.0f} s; try again later"
        ).info()
    _log.error("a task failed unexpectedly", exc_info=error)
    return EdgewrightError(
        f"the task failed because of a defect in the program ({type(error).__name__}); "
        "the log has the details"
    ).info()


def failed(task: Task, error: BaseException) -> TaskResult:
    """Return the result of a task that failed; it holds no output."""
    status: TaskStatus = "error"
    if isinstance(error, RefusedError | ScopeError):
        status = "refused"
    elif isinstance(error, UnavailableError | TransientError | NodeTimeoutError):
        status = "unavailable"
    return _empty(task, status, as_info(error))


def blocked(task: Task, by: TaskResult) -> TaskResult:
    """Return the result of a task that cannot run because one it depends on did not succeed."""
    if by.status == "skipped":
        error = UnavailableError(
            f"it needs the result of {by.tool.replace('-', ' ')}, which was left out",
            code="dependency_skipped",
        )
        return _empty(task, "skipped", error.info())
    reason = by.error.message if by.error else by.status
    error = UnavailableError(
        f"it needs the output of {by.task_id} ({by.tool}), which failed: {reason}",
        code="dependency_failed",
    )
    return _empty(task, "unavailable", error.info())


def skipped(task: Task, tasks: Mapping[str, Task], results: Mapping[str, TaskResult]) -> TaskResult:
    """Return the result of a task whose condition does not hold, with the answers that decide."""
    failed = [
        check.task
        for check in (task.when.checks if task.when else ())
        if check.holds(results[check.task].output) is False
    ]
    reason = " and ".join(dict.fromkeys(_answers(failed, tasks, results)))
    error = UnavailableError(reason, code="condition_not_met")
    return _empty(task, "skipped", error.info())


def undecided(
    task: Task, tasks: Mapping[str, Task], results: Mapping[str, TaskResult]
) -> TaskResult:
    """Return the result of a task whose condition cannot be decided."""
    reason = " and ".join(dict.fromkeys(_answers(task.checks, tasks, results)))
    error = UnavailableError(reason, code="condition_undecided")
    return _empty(task, "skipped", error.info())


def _answers(
    checks: Iterable[str], tasks: Mapping[str, Task], results: Mapping[str, TaskResult]
) -> Iterator[str]:
    """Yield what was asked for a condition and what came of it."""
    for check in checks:
        asked = tasks[check].args.get("question", tasks[check].tool)
        result = results[check]
        if result.status != "ok":
            yield f'"{asked}" has no answer'
        else:
            answer = result.output.get("answer") or result.output.get("text", "")
            yield f'the answer to "{asked}" is "{str(answer).strip(" .")}"'


def lacking(task: Task, needs: tuple[str, ...]) -> TaskResult:
    """Return the result of a task that was not run because an input is missing."""
    error = UnavailableError(
        f"it was not run, because the request came without {' and '.join(needs)}",
        code="input_missing",
    )
    return _empty(task, "unavailable", error.info())


def _empty(task: Task, status: TaskStatus, error: ErrorInfo) -> TaskResult:
    return TaskResult(
        task_id=task.id, tool=task.tool, status=status, output={}, report=None, error=error
    )
