"""The plan: a directed acyclic graph of tasks, frozen before anything runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: An argument that is another task's output reads ``<task-id>``, e.g. ``<t1>``.
Planner = Literal["embedded", "chat-model"]


class Task(BaseModel):
    """One step of a plan.

    Attributes:
        id: ``t1``, ``t2`` … in the order of the plan.
        tool: Card id.
        task_type: The card's Hugging Face task name.
        args: Arguments by name. A picture is named by its ``ImageRef.uri``, the output of another
            task by ``<id>``.
        depends_on: Ids of the tasks whose outputs this one needs.
        span: The part of the request that asked for it.
        confidence: Probability that this task was asked for, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    tool: str
    task_type: str
    args: dict[str, str] = Field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    span: str = ""
    confidence: float = Field(default=1.0, ge=0, le=1)


class Plan(BaseModel):
    """What will be done for a request.

    Attributes:
        request: The request as it was given.
        tasks: The steps; empty when no card serves the request.
        planner: Who made it.
        confidence: Probability that the whole plan is what was asked for, 0 to 1.
        needs: Inputs that are missing before it can run, by name (``image``).
        reason: Why the plan is empty, why the chat model was not used, or what was asked back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str
    tasks: tuple[Task, ...]
    planner: Planner
    confidence: float = Field(ge=0, le=1)
    needs: tuple[str, ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _acyclic(self) -> Plan:
        known: set[str] = set()
        for task in self.tasks:
            if task.id in known:
                raise ValueError(f"two tasks have the id {task.id!r}")
            missing = set(task.depends_on) - known
            if missing:
                raise ValueError(
                    f"task {task.id!r} depends on {sorted(missing)}, which do not stand before it"
                )
            known.add(task.id)
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return self.model_dump(mode="json")
