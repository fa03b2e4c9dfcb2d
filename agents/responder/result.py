"""The result of a task, as the responder receives it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.invocation import Status
from edgewright.tools.errors import ErrorInfo

#: ``skipped`` means that the task's condition did not hold or could not be decided.
TaskStatus = Status | Literal["skipped"]


class TaskResult(BaseModel):
    """The result of one task.

    Attributes:
        task_id: The task of the plan.
        tool: Its card.
        status: ``ok``, ``refused``, ``unavailable``, ``error`` or ``skipped``.
        output: The expert's output, JSON values only; empty unless ``ok``.
        report: Its cost report; None when nothing ran.
        error: Set unless ``ok``.
    """

    model_config = ConfigDict(frozen=True)

    task_id: str
    tool: str
    status: TaskStatus
    output: dict[str, Any] = Field(default_factory=dict)
    report: CostReport | None = None
    error: ErrorInfo | None = None
