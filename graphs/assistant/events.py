"""Progress of a turn, as typed events on LangGraph's custom stream."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, TypeAdapter

from edgewright.agents.planner.plan import Plan
from edgewright.graphs.federated.events import Event as FederatedEvent
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.invocation import Status


class Understood(BaseModel):
    """The request was read.

    Attributes:
        request: Its text.
        images: Names of the pictures that came with it.
    """

    event: Literal["understood"] = "understood"
    request: str
    images: list[str]


class Planned(BaseModel):
    """The plan is made and will not change."""

    event: Literal["planned"] = "planned"
    plan: Plan


class Offloaded(BaseModel):
    """The arm of a task was chosen."""

    event: Literal["offloaded"] = "offloaded"
    task_id: str
    tool: str
    decision: Decision


class TaskStarted(BaseModel):
    """A task was handed to the node; it comes again when a transient failure is retried."""

    event: Literal["task_started"] = "task_started"
    task_id: str
    tool: str
    arm: str


class TrainingProgress(BaseModel):
    """A training task went a step further.

    Attributes:
        task_id: The task.
        step: What happened, as ``graphs/federated`` tells it.
    """

    event: Literal["training"] = "training"
    task_id: str
    step: FederatedEvent


class TaskFinished(BaseModel):
    """A task came to its end, good or bad.

    Attributes:
        task_id: The task.
        tool: Its card.
        status: As in its result.
        arm: The arm that produced the result, which a fallback may have changed; empty when
            nothing was run.
        ms: Time since the task was handed over, as seen by the graph.
        text: The result in words, or the error's message.
    """

    event: Literal["task_finished"] = "task_finished"
    task_id: str
    tool: str
    status: Status
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

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def emit(runtime: Runtime[Any], event: Event) -> None:
    """Write an event to the stream of the run, as JSON values."""
    runtime.stream_writer(event.model_dump(mode="json"))


def parse(value: Any) -> Event:
    """Read an event back from the custom stream.

    Args:
        value: What the stream carried.

    Raises:
        pydantic.ValidationError: It is not one of these events.
    """
    return _EVENT.validate_python(value)
