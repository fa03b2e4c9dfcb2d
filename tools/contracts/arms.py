"""Arms: ways to execute a task, what each is expected to cost, and the one that was chosen."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ArmKind = Literal["device-only", "edge-only", "co-inference"]


ImageCodec = Literal["png", "jpeg", "webp", "avif"]


class Arm(BaseModel):
    """One way to execute a task.

    Attributes:
        kind: Where the model runs.
        image_codec: For edge-only: how the picture is sent; None sends it as it is.
        quality: For edge-only with a lossy codec: its quality setting, 1 to 100.
        point: For co-inference: the partition point, the number of blocks the device runs.
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
        """Return the arm in one word or two, e.g. ``edge-only (jpeg q90)``."""
        if self.kind == "edge-only":
            suffix = f" q{self.quality}" if self.quality is not None else ""
            return f"edge-only ({self.image_codec or 'picture as it is'}{suffix})"
        if self.kind == "co-inference":
            suffix = f", {self.codec}" if self.codec else ""
            return f"co-inference (point {self.point}{suffix})"
        return "device-only"


class Forecast(BaseModel):
    """What one arm is expected to cost.

    Attributes:
        arm: The arm.
        latency_ms: Expected end-to-end time; None when the arm cannot be used.
        bytes_up: Expected bytes from device to edge.
        energy_j: Expected energy of the device; None when the arm cannot be used.
        unusable: Why the arm cannot be used, or empty.
    """

    arm: Arm
    latency_ms: float | None
    bytes_up: int
    energy_j: float | None = None
    unusable: str = ""


class LinkState(BaseModel):
    """What is known of the link to the edge peer.

    Attributes:
        rate_kb_per_s: Uplink rate in kilobytes (1000 bytes) a second.
        rtt_ms: Round-trip time.
        samples: Transfers behind the estimate; 0 means the configured prior.
        up: Whether the last contact succeeded.
    """

    rate_kb_per_s: float
    rtt_ms: float
    samples: int
    up: bool


class ServerLoad(BaseModel):
    """How busy one model of an edge server is, measured over its last calls.

    Attributes:
        arrivals_per_s: Calls that arrive in a second.
        arrival_scv: Squared coefficient of variation of the times between them; 1 for Poisson.
        service_ms: Mean time to serve a call, without its waiting.
        service_scv: Squared coefficient of variation of the service times.
        servers: Calls that are served at once.
    """

    arrivals_per_s: float = Field(ge=0)
    arrival_scv: float = Field(default=1.0, ge=0)
    service_ms: float = Field(ge=0)
    service_scv: float = Field(default=1.0, ge=0)
    servers: int = Field(default=1, ge=1)

    @property
    def utilisation(self) -> float:
        """Return the share of the servers' time that is taken; from 1 on the queue only grows."""
        return self.arrivals_per_s * self.service_ms / 1000 / self.servers


class Decision(BaseModel):
    """The arm chosen for a task, and why.

    Attributes:
        arm: The chosen arm.
        reason: One sentence for a person, naming the runner-up and the margin.
        forecasts: All arms that were weighed, best first.
        link: The link as it was known at that moment; None on a node without a peer.
        load: Other callers' load on the edge server's model; None when it is not known.
        deadline_ms: Deadline under which the choice was made; None means no limit.
    """

    arm: Arm
    reason: str
    forecasts: list[Forecast]
    link: LinkState | None
    load: ServerLoad | None = None
    deadline_ms: float | None = None
