"""Settings of a generated app, in the form of Flower's run config: flat, with scalar values."""

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
from edgewright.tools.federated.records.local_privacy import LocalPrivacy, NoLocalPrivacy


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


class AppSettings(BaseModel):
    """All that a generated app needs in addition to its slots.

    Attributes:
        data: Folder with the training split.
        out: Folder for checkpoints, progress and client states, separate on each machine.
        seed: Seed of initial weights, batches and sampling.
        channels: Channels of the images.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        classes: Number of classes.
        clients: Number of clients.
        samples: Training samples of all clients.
        samples_max: Training samples of the largest client; a reply cannot claim more.
        keep_checkpoints: Number of newest checkpoints to keep; 0 keeps all.
        rounds: Number of rounds; this and all following fields as in ``Candidate``.
        local_epochs: Passes over a client's samples per round.
        batch_size: Samples per step.
        participation: Share of the clients that train in a round.
        strategy: Aggregation strategy.
        compression: Compression of the updates.
        local_privacy: Noise that each client adds.
        proximal: Weight of the proximal term.
        label_smoothing: Share of the target that is spread over all classes.
        personal_head: Whether each client keeps its own last linear layer.
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
    samples: int
    samples_max: int
    keep_checkpoints: int = 2
    rounds: int
    local_epochs: int
    batch_size: int
    participation: float = 1.0
    strategy: Strategy = Field(default=FedAvg())
    compression: Compression = Field(default=NoCompression())
    local_privacy: LocalPrivacy = Field(default=NoLocalPrivacy())
    proximal: float = 0.0
    label_smoothing: float = 0.0
    personal_head: bool = False

    @field_validator("strategy", "compression", "local_privacy", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @property
    def clients_per_round(self) -> int:
        """Number of clients that train in a round, at least one."""
        return max(1, int(self.clients * self.participation + 1e-9))

    def run_config(self) -> dict[str, str | int | float | bool]:
        """Return the settings in the form of a Flower run config."""
        values = self.model_dump(by_alias=True)
        return {
            key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in values.items()
        }

    @classmethod
    def read(cls, run_config: Mapping[str, Any]) -> AppSettings:
        """Read the settings from a run config, ignoring other keys."""
        return cls.model_validate(dict(run_config))
