"""What a device saves: time, its own energy, or both by weight."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class EnergyModel(BaseModel):
    """What the device spends beyond being switched on: computing, and moving bytes.

    The defaults stand for a small board on Wi-Fi; measure your own. Computing: a Raspberry Pi 4
    draws about 3.7 W more with its cores busy than idle, by published measurements. Radio: the
    slopes of Huang et al., "A close examination of performance and power characteristics of 4G LTE
    networks", MobiSys 2012, for Wi-Fi, 283 and 137 mW per Mbit/s; for LTE theirs are 438 and 52,
    which is 3.51 and 0.42 J/MB.

    Attributes:
        compute_w: Power while the device computes, above idle.
        up_j_per_mb: Energy to send a megabyte (1,000,000 bytes).
        down_j_per_mb: Energy to receive one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    compute_w: float = Field(default=3.7, ge=0)
    up_j_per_mb: float = Field(default=2.27, ge=0)
    down_j_per_mb: float = Field(default=1.1, ge=0)

    def joules(self, compute_ms: float, bytes_up: float, bytes_down: float) -> float:
        """Return what a task costs the device.

        Args:
            compute_ms: Time for which the device itself computes.
            bytes_up: Bytes sent.
            bytes_down: Bytes received.
        """
        radio_j = bytes_up * self.up_j_per_mb + bytes_down * self.down_j_per_mb
        return self.compute_w * compute_ms / 1000 + radio_j / 1e6


class Objective(BaseModel):
    """What the choice of an arm minimises: a weighted sum.

    Attributes:
        seconds: Weight of a second of latency; 0 leaves time to the deadline alone.
        joules: Weight of a joule of the device's energy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=1.0, ge=0)
    joules: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _something(self) -> Objective:
        if not self.seconds + self.joules:
            raise ValueError("give 'seconds' or 'joules' a weight above 0")
        return self
