"""State of a run: JSON values only, so that each step can be checkpointed."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from edgewright.tools.federated.records.trial import Engine, LinkSpeed
from edgewright.tools.sandbox.limits import SandboxLimits

Approval = Literal["ask", "auto"]

StopReason = Literal[
    "target",  # the requested validation accuracy was reached
    "perfect",  # every validation image was classified correctly
    "gain",  # what another trial could gain is less than chance
    "patience",  # the last trials improved on earlier ones by no more than seed noise
    "trials",  # the maximum number of trials was reached
    "time",  # another trial would not fit into the time limit
    "privacy",  # the privacy budget is spent; another trial would spend it again
    "unchanged",  # the coder had nothing new to propose
    "declined",  # the person declined the proposal
    "no_candidate",  # no candidate passed its checks, after all repairs
]


class TrainSettings(BaseModel):
    """How a run proceeds and when it ends.

    Attributes:
        approval: ``ask`` waits for a person before each trial; ``auto`` is possible only with a
            sandboxed engine.
        engine: Where candidates are trained.
        trials: Maximum number of completed trials.
        target: Validation accuracy at which the run ends; None for no target.
        patience: Number of consecutive trials without an improvement beyond seed noise, after
            which the run ends.
        time_s: Time for all trials, in seconds. The first one always runs; another begins only if
            twice the time of the longest one is left.
        seed: Determines initial weights, batches, sampling and noise.
        limits: Sandbox limits of one trial.
        link: The simulated link and device.
        replace: Whether the model takes the place of a better one of the same tool.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: Approval = "auto"
    engine: Engine = "in-process"
    trials: int = Field(default=4, ge=1, le=100)
    target: float | None = Field(default=None, gt=0, le=1)
    patience: int = Field(default=2, ge=1)
    time_s: float = Field(default=90.0, gt=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**31)
    limits: SandboxLimits = SandboxLimits()
    link: LinkSpeed = LinkSpeed()
    replace: bool = False


class FederatedInput(TypedDict, total=False):
    """Input of a run.

    Attributes:
        purpose: What the model is for and what constrains its training, in the person's words.
        data: ``DataRequest`` dump; without one, the data that the purpose names.
        settings: ``TrainSettings`` dump.
        run: Name of the run and of its folder; None generates one.
    """

    purpose: str
    data: dict[str, Any]
    settings: dict[str, Any]
    run: str | None


class FederatedState(FederatedInput, total=False):
    """State that the steps pass on.

    Attributes:
        card: ``DataCard`` dump.
        remarks: The person's responses to proposals.
        proposal: ``Proposal`` dump of what is to be checked, approved and trained next.
        checked: ``CheckedFacts`` dump of the proposal; None if it failed its checks.
        attempts: ``Attempt`` dumps, oldest first.
        stop: Why the run ended; None while it continues.
        report: ``RunReport`` dump, at the end.
    """

    card: dict[str, Any]
    remarks: Annotated[list[str], operator.add]
    proposal: dict[str, Any]
    checked: dict[str, Any] | None
    attempts: Annotated[list[dict[str, Any]], operator.add]
    stop: StopReason | None
    report: dict[str, Any]
