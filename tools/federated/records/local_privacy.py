"""Differential privacy that each client adds by itself: whom it protects, and its budget."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoLocalPrivacy(_Frozen):
    """Clients train without noise."""

    name: Literal["none"] = "none"


class DpSgd(_Frozen):
    """DP-SGD on each client: clipped gradients of samples or persons, and noise on their sum.

    Neighbouring data sets differ by one unit; the number of units of each client is public. Each
    client adds all of the noise that its own units need, so neither the server nor other clients
    need to be trusted. ``local_epochs`` and ``batch_size`` of a candidate have no effect.

    Attributes:
        unit: What is protected: ``sample``, or ``person`` (all samples of one person).
        clipping_norm: Maximum L2 norm of a unit's gradient.
        noise_multiplier: Standard deviation of the noise, relative to ``clipping_norm``.
        epsilon: Privacy budget; training stops before the round that would exceed it.
        delta: Probability with which epsilon may fail; should be below 1 / units.
        sample_rate: Probability with which a unit takes part in a step; 1 uses all units.
        local_steps: Steps of each client per round.
    """

    name: Literal["dp-sgd"] = "dp-sgd"
    unit: Literal["sample", "person"] = "sample"
    clipping_norm: float = Field(default=1.0, gt=0)
    noise_multiplier: float = Field(default=1.0, gt=0, le=1000)
    epsilon: float = Field(default=3.0, gt=0)
    delta: float = Field(default=1e-5, gt=0, lt=1)
    sample_rate: float = Field(default=1.0, gt=0, le=1)
    local_steps: int = Field(default=1, ge=1, le=1000)

    @property
    def passes(self) -> float:
        """Expected passes over a client's samples per round."""
        return self.sample_rate * self.local_steps


LocalPrivacy = Annotated[NoLocalPrivacy | DpSgd, Field(discriminator="name")]
