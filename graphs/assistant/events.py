"""Progress of a turn, as typed events on LangGraph's custom stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, SerializeAsAny, TypeAdapter, field_validator

from edgewright.agents.planner.plan import Plan
from edgewright.agents.responder.result import TaskStatus
from edgewright.tools.contracts.arms import Decision

if TYPE_CHECKING:
    from edgewright.graphs.federated.events import Event as FederatedEvent
else:
    # Turns without training, which are nearly all, do not wait for the import of its modules.
    FederatedEvent = SerializeAsAny[BaseModel]


class Understood(BaseModel):
    """The request was read.

    Attributes:
        request: Its text.
        images: Names of the images that came with it.
    """

    event: Literal["understood"] = "understood"
    request: str
    images: list[str]


class Planned(BaseModel):
    """The plan was made; it does not change from here on."""

    event: Literal["planned"] = "planned"
    plan: Plan


class Offloaded(BaseModel):
    """The arm of a task was chosen."""

    event: Literal["offloaded"] = "offloaded"
    task_id: str
    tool: str
    decision: Decision


class TaskStarted(BaseModel):
    """A task was sent to the node; emitted again when a transient failure is retried."""

    event: Literal["task_started"] = "task_started"
    task_id: str
    tool: str
    arm: str


class TrainingProgress(BaseModel):
    """A training task made progress.

    Attributes:
        task_id: The task.
        step: The event of ``graphs/federated``.
    """

    event: Literal["training"] = "training"
    task_id: str
    step: FederatedEvent

    @field_validator("step", mode="before")
    @classmethod
    def _read(cls, step: Any) -> Any:
        if isinstance(step, BaseModel):
            return step
        from edgewright.graphs.federated.events import Event

        return TypeAdapter(Event).validate_python(step)


class TaskFinished(BaseModel):
    """A task ended, successfully or not.

    Attributes:
        task_id: The task.
        tool: Its card.
        status: Status of its result.
        arm: The arm that produced the result, after any fallback; empty when nothing was run.
        ms: Milliseconds since the task was sent, measured in the graph.
        text: The result as text, or the error message.
    """

    event: Literal["task_finished"] = "task_finished"
    task_id: str
    tool: str
    status: TaskStatus
    arm: str = ""
    ms: float = 0.0
    text: str = ""


class Answered(BaseModel):
    """The turn is over."""

    event: Literal["answered"] = "answered"
    text: str


Event = Annotated[
    Understood | Planned | Offloaded | TaskStarted | TrainingProgress | TaskFinished | Answered,
    Field(discriminator="event"),
]


def emit(runtime: Runtime[Any], event: Event) -> None:
    """Write an event to the stream of the run; see ``graphs/federated/events.py``."""
    runtime.stream_writer(event)
