"""Arms: ways to execute a task, their expected costs and the decision between them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ArmKind = Literal["device-only", "edge-only", "co-inference"]


ImageCodec = Literal["png", "jpeg", "webp", "avif"]


class Arm(BaseModel):
    """One way to execute a task.

    Attributes:
        kind: Where the model runs.
        image_codec: For edge-only: how the image is encoded; None sends the original bytes.
        quality: For edge-only with a lossy codec: its quality setting, 1 to 100.
        point: For co-inference: the partition point, as the number of blocks the device runs.
        codec: For co-inference: name of the feature codec.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ArmKind
    image_codec: ImageCodec | None = None
    quality: int | None = Field(default=None, ge=1, le=100)
    point: int | None = Field(default=None, ge=0, le=1000)
    codec: str | None = None

    @property
    def label(self) -> str:
        """Return a short name of the arm, e.g. ``edge-only (jpeg q90)``."""
        if self.kind == "edge-only":
            suffix = f" q{self.quality}" if self.quality is not None else ""
            return f"edge-only ({self.image_codec or 'original image'}{suffix})"
        if self.kind == "co-inference":
            suffix = f", {self.codec}" if self.codec else ""
            return f"co-inference (point {self.point}{suffix})"
        return "device-only"


class Forecast(BaseModel):
    """The expected cost of one arm.

    Attributes:
        arm: The arm.
        latency_ms: Expected end-to-end latency; None when the arm cannot be used.
        bytes_up: Expected bytes from device to edge.
        energy_j: Expected energy that the device spends; None when the arm cannot be used.
        unusable: Why the arm cannot be used; empty if it can.
    """

    arm: Arm
    latency_ms: float | None
    bytes_up: int
    energy_j: float | None = None
    unusable: str = ""


class LinkState(BaseModel):
    """The estimated state of the link to the edge peer.

    Attributes:
        rate_kb_per_s: Uplink rate in kilobytes (1000 bytes) per second.
        rtt_ms: Round-trip time.
        samples: Number of transfers behind the estimate; 0 means the configured prior.
        up: Whether the last contact succeeded.
    """

    rate_kb_per_s: float
    rtt_ms: float
    samples: int
    up: bool


class ServerLoad(BaseModel):
    """Load of one model on an edge server, measured over its recent calls.

    Attributes:
        arrivals_per_s: Arrival rate of calls.
        arrival_scv: Squared coefficient of variation of the interarrival times; 1 for Poisson.
        service_ms: Mean service time of a call, waiting excluded.
        service_scv: Squared coefficient of variation of the service times.
        servers: Number of calls served concurrently.
    """

    arrivals_per_s: float = Field(ge=0)
    arrival_scv: float = Field(default=1.0, ge=0)
    service_ms: float = Field(ge=0)
    service_scv: float = Field(default=1.0, ge=0)
    servers: int = Field(default=1, ge=1)

    @property
    def utilisation(self) -> float:
        """Return the fraction of time the servers are busy; at 1 or more the queue only grows."""
        return self.arrivals_per_s * self.service_ms / 1000 / self.servers


class Decision(BaseModel):
    """The arm chosen for a task, and the reason.

    Attributes:
        arm: The chosen arm.
        reason: One sentence for a person that names the runner-up and the margin.
        forecasts: All arms that were considered, best first.
        link: The link estimate at that moment; None on a node without a peer.
        load: Other callers' load on the edge server's model; None when unknown.
        deadline_ms: Deadline that the choice had to meet; None means no limit.
    """

    arm: Arm
    reason: str
    forecasts: list[Forecast]
    link: LinkState | None
    load: ServerLoad | None = None
    deadline_ms: float | None = None
