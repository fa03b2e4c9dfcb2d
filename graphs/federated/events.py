"""Progress of a run, as typed events on LangGraph's custom stream."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, TypeAdapter

from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.graphs.federated.state import StopReason
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import ModelFacts, TrialResult
from edgewright.tools.sandbox.faults import Fault


class Prepared(BaseModel):
    """The data are split and dealt to clients."""

    event: Literal["prepared"] = "prepared"
    run: str
    card: DataCard


class Proposed(BaseModel):
    """A coder proposed a candidate."""

    event: Literal["proposed"] = "proposed"
    number: int
    proposal: Proposal


class CandidateChecked(BaseModel):
    """The candidate was checked; with faults it goes back to the coder."""

    event: Literal["checked"] = "checked"
    number: int
    faults: tuple[Fault, ...]
    facts: ModelFacts | None


class TrialStarted(BaseModel):
    """Training begins, or goes on after it was broken off."""

    event: Literal["trial_started"] = "trial_started"
    number: int
    rounds: int


class RoundScored(BaseModel):
    """Something happened in training.

    Attributes:
        number: The trial.
        detail: As the trial runner tells it.
    """

    event: Literal["progress"] = "progress"
    number: int
    detail: dict[str, Any]


class TrialEnded(BaseModel):
    """Training ended, good or bad."""

    event: Literal["trial_ended"] = "trial_ended"
    result: TrialResult


class Decided(BaseModel):
    """The run goes on (``stop`` is None) or ends."""

    event: Literal["decided"] = "decided"
    stop: StopReason | None
    best: int


class Registered(BaseModel):
    """The run is over and its report written."""

    event: Literal["registered"] = "registered"
    report: RunReport


Event = Annotated[
    Prepared
    | Proposed
    | CandidateChecked
    | TrialStarted
    | RoundScored
    | TrialEnded
    | Decided
    | Registered,
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
