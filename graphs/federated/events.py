"""Progress of a run, as typed events on LangGraph's custom stream."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.graphs.federated.state import StopReason
from edgewright.tools.datasets.summary import DataSummary
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.progress import RoundScored, TrialProgress
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import ModelFacts, TrialResult
from edgewright.tools.sandbox.faults import Fault


class Prepared(BaseModel):
    """The data were split and dealt to clients."""

    event: Literal["prepared"] = "prepared"
    run: str
    card: DataCard
    reading: DataSummary | None = None


class Proposed(BaseModel):
    """A coder proposed a candidate."""

    event: Literal["proposed"] = "proposed"
    number: int
    proposal: Proposal


class CandidateChecked(BaseModel):
    """The candidate was checked; if it has faults, it goes back to the coder."""

    event: Literal["checked"] = "checked"
    number: int
    faults: tuple[Fault, ...]
    facts: ModelFacts | None


class TrialStarted(BaseModel):
    """Training begins, or resumes after an interruption."""

    event: Literal["trial_started"] = "trial_started"
    number: int
    rounds: int


class TrialEnded(BaseModel):
    """Training ended, successfully or not."""

    event: Literal["trial_ended"] = "trial_ended"
    result: TrialResult


class Decided(BaseModel):
    """The run continues (``stop`` is None) or ends."""

    event: Literal["decided"] = "decided"
    stop: StopReason | None
    best: int


class Registered(BaseModel):
    """The run ended and its report was written."""

    event: Literal["registered"] = "registered"
    report: RunReport


Event = Annotated[
    Prepared
    | Proposed
    | CandidateChecked
    | TrialStarted
    | TrialProgress
    | RoundScored
    | TrialEnded
    | Decided
    | Registered,
    Field(discriminator="event"),
]


def emit(runtime: Runtime[Any], event: Event) -> None:
    """Write an event to the stream of the run.

    It is written as an object: a consumer in this process receives that object, and a graph server
    serialises it where it leaves the process.
    """
    runtime.stream_writer(event)
