"""A written app's settings, as Flower's run config carries them: flat, scalars only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from edgewright.tools.federated.records.candidate import (
    Compression,
    FedAvg,
    NoCompression,
    Strategy,
)


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


class AppSettings(BaseModel):
    """All that a written app needs beside its slots.

    Attributes:
        data: Folder with the training split.
        out: Folder for checkpoints, progress and what clients keep; on each machine its own.
        seed: Decides initial weights, batches and sampling.
        channels: Of the images, like height and width.
        height: Pixels.
        width: Pixels.
        classes: Number of classes.
        clients: How many clients there are.
        samples_max: Training samples of the largest client; a reply cannot claim more.
        keep_checkpoints: Newest checkpoints to keep; 0 keeps all.
        rounds: As in ``Candidate``, like all that follow.
        local_epochs: Passes over a client's samples, per round.
        batch_size: Samples per step.
        participation: Share of the clients that train in a round.
        strategy: How replies become the next model.
        compression: How updates travel up.
        proximal: Weight of the pull towards the global model.
        label_smoothing: Share of the target spread over all classes.
        personal_head: Whether each client keeps a last linear layer of its own.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=_hyphens, populate_by_name=True
    )

    data: str
    out: str
    seed: int
    channels: int
    height: int
    width: int
    classes: int
    clients: int
    samples_max: int
    keep_checkpoints: int = 2
    rounds: int
    local_epochs: int
    batch_size: int
    participation: float = 1.0
    strategy: Strategy = Field(default=FedAvg())
    compression: Compression = Field(default=NoCompression())
    proximal: float = 0.0
    label_smoothing: float = 0.0
    personal_head: bool = False

    @field_validator("strategy", "compression", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @property
    def clients_per_round(self) -> int:
        """How many clients train in a round, at least one."""
        return max(1, int(self.clients * self.participation))

    def run_config(self) -> dict[str, str | int | float | bool]:
        """Return the settings in the form of a Flower run config."""
        values = self.model_dump(by_alias=True)
        return {
            key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in values.items()
        }

    @classmethod
    def read(cls, run_config: Mapping[str, Any]) -> AppSettings:
        """Read them back; keys that are not settings are left alone."""
        return cls.model_validate(dict(run_config))
