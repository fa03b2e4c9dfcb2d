"""What a run remembers: JSON values only, so that each step is checkpointed."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from edgewright.tools.federated.records.trial import Engine, LinkSpeed
from edgewright.tools.sandbox.limits import SandboxLimits

Approval = Literal["ask", "auto"]

StopReason = Literal[
    "target",  # the validation accuracy that was asked for is reached
    "patience",  # the last trials brought nothing that another seed would not bring
    "trials",  # as many trials as were allowed
    "time",  # another trial would not fit into the time
    "privacy",  # the privacy budget is spent; another trial would spend it again
    "unchanged",  # the coder had nothing new to propose
    "declined",  # the person declined the proposal
    "no_candidate",  # nothing that passes its checks, after all repairs
]


class TrainSettings(BaseModel):
    """How a run goes on and when it ends.

    Attributes:
        approval: ``ask`` waits for a person before each training; ``auto`` only with an engine
            that is sandboxed.
        engine: Where candidates are trained.
        trials: Most trainings that come to their end.
        target: Validation accuracy at which the run ends; None to go on.
        patience: Trials in a row without an improvement beyond seed noise.
        time_s: Time for all trainings. The first one always runs; another is begun only if twice
            the time of the longest one is left.
        seed: Decides initial weights, batches, sampling and noise.
        limits: What the sandbox allows one training.
        link: The simulated link and device.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: Approval = "auto"
    engine: Engine = "in-process"
    trials: int = Field(default=4, ge=1, le=100)
    target: float | None = Field(default=None, gt=0, le=1)
    patience: int = Field(default=2, ge=1)
    time_s: float = Field(default=90.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**31)
    limits: SandboxLimits = SandboxLimits()
    link: LinkSpeed = LinkSpeed()


class FederatedInput(TypedDict, total=False):
    """What a run is given.

    Attributes:
        purpose: What the model is for and what constrains its training, in the person's words.
        data: ``DataRequest`` dump.
        settings: ``TrainSettings`` dump.
        run: Name of the run; it becomes the name of its folder. None makes one up.
    """

    purpose: str
    data: dict[str, Any]
    settings: dict[str, Any]
    run: str | None


class FederatedState(FederatedInput, total=False):
    """What the steps pass on.

    Attributes:
        card: ``DataCard`` dump.
        remarks: What the person said to proposals.
        proposal: ``Proposal`` dump of what is about to be checked, approved and trained.
        facts: ``ModelFacts`` dump of the proposal's model, or None.
        attempts: ``Attempt`` dumps, oldest first.
        stop: Why the run ended; None while it goes on.
        report: ``RunReport`` dump, at the end.
    """

    card: dict[str, Any]
    remarks: Annotated[list[str], operator.add]
    proposal: dict[str, Any]
    facts: dict[str, Any] | None
    attempts: Annotated[list[dict[str, Any]], operator.add]
    stop: StopReason | None
    report: dict[str, Any]
