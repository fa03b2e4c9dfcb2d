"""Progress of a trial: typed events that keep their type from the runner to the screen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.trial import ClientId, CurvePoint, Value


class ProgressLine(BaseModel):
    """A line of the progress file: what the app reports about itself, for live views alone.

    Attributes:
        event: ``client``, ``dropped`` or ``round``.
        round: Round number.
        client: Partition id; -1 if not known.
        loss: The client's training loss.
        accuracy: The client's training accuracy.
        reason: Why a reply was dropped.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    event: Literal["client", "dropped", "round"]
    round: int = Field(ge=1, lt=10_000)
    client: ClientId = -1
    loss: Value | None = None
    accuracy: Value | None = None
    reason: str = Field(default="", max_length=500)


class TrialProgress(ProgressLine):
    """Something happened in training.

    Attributes:
        number: Number of the trial.
    """

    number: int


class RoundScored(BaseModel):
    """The host scored a finished round.

    Attributes:
        number: Number of the trial.
        point: The round's point on the curve.
    """

    model_config = ConfigDict(frozen=True)

    event: Literal["scored"] = "scored"
    number: int
    point: CurvePoint


TrialEvent = Annotated[TrialProgress | RoundScored, Field(discriminator="event")]
