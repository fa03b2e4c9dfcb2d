"""The plan: a directed acyclic graph of tasks, frozen before any of them runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgewright.agents.planner.condition import Condition

Planner = Literal["embedded", "chat-model"]


class Task(BaseModel):
    """One step of a plan.

    Attributes:
        id: ``t1``, ``t2`` … in the order of the plan.
        tool: Card id.
        task_type: The card's Hugging Face task name.
        args: Arguments by name. An image is given as its ``ImageRef.uri``, the output of another
            task as ``<id>``, e.g. ``<t1>``.
        depends_on: Ids of the tasks whose outputs this task needs.
        when: What has to hold of earlier results for the task to run; None if it always runs.
        span: The part of the request that the task answers.
        confidence: Probability that this task is requested, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    tool: str
    task_type: str
    args: dict[str, str] = Field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    when: Condition | None = None
    span: str = ""
    confidence: float = Field(default=1.0, ge=0, le=1)

    @property
    def checks(self) -> tuple[str, ...]:
        """Ids of the tasks on whose results the condition depends."""
        return tuple(check.task for check in self.when.checks) if self.when else ()


class Plan(BaseModel):
    """The tasks that serve a request.

    Attributes:
        request: The text of the request.
        tasks: The tasks, each after those it depends on; empty if no card serves the request.
        planner: The planner that made it.
        confidence: Probability that the whole plan is what was requested, 0 to 1.
        needs: Names of the inputs that are still missing (``image``).
        reason: Why the plan is empty or the chat model was not used, or a question to the person.
        notes: What the person has to be told besides the results: parts that no card serves, images
            that are not there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str
    tasks: tuple[Task, ...]
    planner: Planner
    confidence: float = Field(ge=0, le=1)
    needs: tuple[str, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _acyclic(self) -> Plan:
        earlier: set[str] = set()
        for task in self.tasks:
            if task.id in earlier:
                raise ValueError(f"two tasks have the id {task.id!r}")
            missing = {*task.depends_on, *task.checks} - earlier
            if missing:
                raise ValueError(
                    f"task {task.id!r} depends on {sorted(missing)}, which do not come before it"
                )
            earlier.add(task.id)
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return self.model_dump(mode="json")
