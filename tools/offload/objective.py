"""The objective of offloading: a weighted sum of latency, the device's energy and prices."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

_Cost = TypeVar("_Cost", float, NDArray[np.float64])


class EnergyModel(BaseModel):
    """Energy that a device spends above idle: for computing and for transferring bytes.

    The defaults describe a small board on Wi-Fi; replace them with measurements of your device.
    Computing: according to published measurements, a Raspberry Pi 4 draws about 3.7 W more with
    busy cores than idle. Radio: the Wi-Fi slopes from Huang et al., "A close examination of
    performance and power characteristics of 4G LTE networks", MobiSys 2012, 283 and 137 mW per
    Mbit/s. Their slopes for LTE are 438 and 52, which is 3.51 and 0.42 J/MB.

    Attributes:
        compute_w: Power above idle while the device computes.
        up_j_per_mb: Energy to send a megabyte (1,000,000 bytes).
        down_j_per_mb: Energy to receive a megabyte.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    compute_w: float = Field(default=3.7, ge=0)
    up_j_per_mb: float = Field(default=2.27, ge=0)
    down_j_per_mb: float = Field(default=1.1, ge=0)

    def joules(self, compute_ms: _Cost, bytes_up: _Cost, bytes_down: _Cost) -> _Cost:
        """Return the energy that a task, or each of several, costs the device.

        Args:
            compute_ms: Time that the device itself computes.
            bytes_up: Bytes sent.
            bytes_down: Bytes received.
        """
        radio_j = bytes_up * self.up_j_per_mb + bytes_down * self.down_j_per_mb
        return self.compute_w * compute_ms / 1000 + radio_j / 1e6


class Objective(BaseModel):
    """The weighted sum that the choice of an arm minimises.

    Attributes:
        seconds: Weight of a second of latency; with 0, only the deadline limits latency.
        joules: Weight of a joule of the device's energy.
        price: Weight of a unit of the currency in which the peers' prices are given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=1.0, ge=0)
    joules: float = Field(default=0.0, ge=0)
    price: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _something(self) -> Objective:
        if not self.seconds + self.joules + self.price:
            raise ValueError("set 'seconds', 'joules' or 'price' to a weight above 0")
        return self
