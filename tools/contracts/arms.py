"""Arms: ways to execute a task, their expected costs and the decision between them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: Name of a peer that was given none.
DEFAULT_PEER = "edge"

ArmKind = Literal["device-only", "edge-only", "co-inference"]


ImageCodec = Literal["png", "jpeg", "webp", "avif"]
#: Precision of weights and activations: ``int8`` is a quantised model.
Precision = Literal["fp32", "int8"]


class Arm(BaseModel):
    """One way to execute a task.

    Attributes:
        kind: Where the model runs.
        peer: Name of the peer that runs it, or its tail; None lets the node take the first one that
            it can use.
        image_codec: For edge-only: how the image is encoded; None sends the original bytes.
        quality: For edge-only with a lossy codec: its quality setting, 1 to 100.
        point: For co-inference: the partition point, as the number of blocks the device runs.
        codec: For co-inference: name of the feature codec.
        precision: Precision of the model, on every node that runs a part of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ArmKind
    peer: str | None = Field(default=None, max_length=64)
    image_codec: ImageCodec | None = None
    quality: int | None = Field(default=None, ge=1, le=100)
    point: int | None = Field(default=None, ge=0, le=1000)
    codec: str | None = None
    precision: Precision = "fp32"

    @property
    def label(self) -> str:
        """Return a short name of the arm, e.g. ``cloud-only (jpeg q90)``."""
        details: list[str] = []
        name: str = self.kind
        if self.kind == "edge-only":
            name = f"{self.peer or DEFAULT_PEER}-only"
            suffix = f" q{self.quality}" if self.quality is not None else ""
            details.append(f"{self.image_codec or 'original image'}{suffix}")
        elif self.kind == "co-inference":
            name += f" with {self.peer}" if self.peer not in (None, DEFAULT_PEER) else ""
            details += [f"point {self.point}", *([self.codec] if self.codec else [])]
        if self.precision != "fp32":
            details.append(self.precision)
        return f"{name} ({', '.join(details)})" if details else name


def server_words(peer: str | None) -> str:
    """Return how sentences name a peer: ``the edge server``, ``the cloud``, or by its name."""
    if peer in (None, DEFAULT_PEER):
        return "the edge server"
    return "the cloud" if peer == "cloud" else str(peer)


class Forecast(BaseModel):
    """The expected cost of one arm.

    Attributes:
        arm: The arm.
        latency_ms: Expected end-to-end latency; None when the arm cannot be used.
        bytes_up: Expected bytes from device to edge.
        energy_j: Expected energy that the device spends; None when the arm cannot be used.
        price: Expected price of the peer's computing.
        unusable: Why the arm cannot be used; empty if it can.
    """

    arm: Arm
    latency_ms: float | None
    bytes_up: int
    energy_j: float | None = None
    price: float = 0.0
    unusable: str = ""


class LinkState(BaseModel):
    """The estimated state of the link to a peer.

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


class PeerState(BaseModel):
    """What was known of a peer when an arm was chosen.

    Attributes:
        link: The link estimate.
        load: Other callers' load on the peer's model; None when unknown.
        obstacle: Why it cannot be used; empty if it can.
    """

    link: LinkState
    load: ServerLoad | None = None
    obstacle: str = ""


class Decision(BaseModel):
    """The arm chosen for a task, and the reason.

    Attributes:
        arm: The chosen arm.
        reason: One sentence for a person that names the runner-up and the margin.
        forecasts: All arms that were considered, best first.
        peers: The node's peers at that moment, by name.
        deadline_ms: Deadline that the choice had to meet; None means no limit.
    """

    arm: Arm
    reason: str
    forecasts: list[Forecast]
    peers: dict[str, PeerState] = Field(default_factory=dict)
    deadline_ms: float | None = None
