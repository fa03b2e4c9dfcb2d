"""The wire schema of a node: what goes in, what comes out, and the bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.errors import ErrorInfo
from edgewright.tools.images.reference import Mime

if TYPE_CHECKING:
    from edgewright.tools.cards import CardStatus

#: Header that carries an ``InvokeOptions`` as ASCII JSON beside a raw body (picture or frame).
OPTIONS_HEADER = "Edgewright-Options"
#: Header by which one request is followed through all nodes and logs.
REQUEST_ID_HEADER = "Edgewright-Request-Id"

ArmKind = Literal["device-only", "edge-only", "co-inference"]
ImageCodec = Literal["png", "jpeg", "webp", "avif"]
Role = Literal["device", "edge"]
Status = Literal["ok", "refused", "unavailable", "error"]


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


class InvokeOptions(BaseModel):
    """How a card is to be run; the picture travels beside it.

    Attributes:
        args: The card's arguments, by name, without the picture.
        camera: Name of a picture in the device's camera, instead of sending one.
        arm: Fixed arm, or None to let the device choose.
        deadline_s: Longest time for the whole call.
        expert: Fixed expert, or None for the first that is available.
    """

    model_config = ConfigDict(extra="forbid")

    args: dict[str, str] = Field(default_factory=dict)
    camera: str | None = Field(default=None, max_length=200)
    arm: Arm | None = None
    deadline_s: float = Field(default=30.0, gt=0, le=600)
    expert: str | None = Field(default=None, max_length=100)


class InvokeRequest(InvokeOptions):
    """The JSON form of an invocation, for tool-calling programs.

    Attributes:
        image_base64: The picture, encoded; or use ``camera``, or send the picture as raw body
            with the options in the header.
    """

    image_base64: str | None = None


class Fallback(BaseModel):
    """One step down the ladder: what was tried, what stopped it, what was done instead."""

    tried: str
    code: str
    reason: str
    used: str


class Report(BaseModel):
    """What a result really cost.

    Attributes:
        arm: The arm that produced the result, in words.
        planned_arm: The arm that was chosen at first; differs from ``arm`` after a fallback.
        nodes: Names of the nodes that computed something, in order.
        model: Model id and revision.
        expert: Expert that read the model's output.
        approximate: True when the expert stands in for a better one that is not configured.
        bytes_up: Bytes of bodies sent from device to edge, failed attempts included.
        bytes_down: Bytes of bodies sent back.
        frame_bytes: Size of the co-inference frame, 0 when there was none.
        stages_ms: Milliseconds by stage, in the order they happened.
        head_reused: Whether the head's features were used again after a fallback.
        energy_j: Energy that the device spent, by its configured model; failed attempts included.
        slowdown: Factor by which the device was slowed on purpose; 1 means not.
        fallback: Steps down the ladder; empty when the first choice worked.
    """

    arm: str
    planned_arm: str
    nodes: list[str]
    model: str
    expert: str
    approximate: bool = False
    bytes_up: int = 0
    bytes_down: int = 0
    frame_bytes: int = 0
    stages_ms: dict[str, float] = Field(default_factory=dict)
    head_reused: bool = False
    energy_j: float = 0.0
    slowdown: float = 1.0
    fallback: list[Fallback] = Field(default_factory=list)


class InvokeResponse(BaseModel):
    """What a node answers to an invocation.

    Attributes:
        status: ``ok``, or ``refused`` when the expert cannot know the answer.
        output: The expert's output, JSON values only; empty unless ``ok``.
        report: The bill; None when nothing was run.
        error: Set unless ``ok``.
        load: On an edge server: how busy the model is that served.
    """

    status: Status
    output: dict[str, Any] = Field(default_factory=dict)
    report: Report | None = None
    error: ErrorInfo | None = None
    load: ServerLoad | None = None


class CardView(BaseModel):
    """A card as a node lists it.

    Attributes:
        id: Card id.
        task_type: Hugging Face task name.
        description: The card's description.
        schema_: JSON schema of the arguments.
        available: Whether this node can run it.
        expert: Expert that would run it.
        approximate: Whether that expert is a stand-in.
        reason: Why it is not available, or what would make it better.
    """

    model_config = ConfigDict(populate_by_name=True)

    id: str
    task_type: str
    description: str
    schema_: dict[str, Any] = Field(alias="schema")
    available: bool
    expert: str | None
    approximate: bool
    reason: str

    @classmethod
    def of(cls, status: CardStatus) -> CardView:
        """Describe a card as the machine with this status sees it."""
        expert = status.expert
        return cls(
            id=status.card.id,
            task_type=status.card.task_type,
            description=status.card.description,
            schema_=status.card.json_schema(),
            available=status.available,
            expert=expert.expert if expert else None,
            approximate=bool(expert and expert.approximate),
            reason=status.reason,
        )


class SensorView(BaseModel):
    """A sensor of a device, and what it holds.

    Attributes:
        kind: ``camera``, ``microphone`` …
        name: Name of the sensor.
        items: For a camera: names of its pictures.
    """

    kind: str
    name: str
    items: list[str] = Field(default_factory=list)


class BlockProfile(BaseModel):
    """Time of one block, median over several runs, in milliseconds."""

    name: str
    ms: float


class PointProfile(BaseModel):
    """What a cut at one partition point costs.

    Attributes:
        point: Number of blocks that the head runs.
        name: Name of the last block of the head.
        frame_bytes: Median size of the frame over the calibration photographs.
        encode_ms: Time to quantise and code the features.
        decode_ms: Time to decode and rescale them.
        agreement: Share of the top-1 accuracy that coding leaves (``tools/offload/profile.py`` says
            how it is estimated).
        codec: Name of the feature codec.
        resume_point: Block at which the model goes on behind the decoding; None for the point
            itself, more when the codec's decoder takes the place of some blocks.
        fingerprint: Of the codec, hexadecimal; two nodes can use it only if they hold the same one.
    """

    point: int
    name: str
    frame_bytes: int
    encode_ms: float
    decode_ms: float
    agreement: float
    codec: str = "quantised8"
    resume_point: int | None = None
    fingerprint: str = ""


class ImageCodecProfile(BaseModel):
    """What sending a picture with one image codec costs at the model's input size.

    Attributes:
        image_codec: Codec name.
        quality: Quality setting; None for PNG.
        bytes: Median size over the calibration photographs.
        encode_ms: Time to encode.
        decode_ms: Time to decode.
        agreement: Share of the top-1 accuracy that coding leaves (``tools/offload/profile.py`` says
            how it is estimated).
    """

    image_codec: ImageCodec
    quality: int | None
    bytes: int
    encode_ms: float
    decode_ms: float
    agreement: float


class ModelProfile(BaseModel):
    """Measured times of one model on one node.

    Attributes:
        model: Model id.
        revision: Fingerprint of the weights.
        preprocess_ms: Decode and resize; every arm begins with it.
        preprocess_pixels: Pixels of the pictures for which that was measured.
        normalise_ms: Turn the resized picture into the network's input, where blocks are run.
        blocks: Every block in order, the classifier included.
        finish_ms: Median time for the expert to read the output.
        points: The cuts.
        image_codecs: The codings of the picture.
        threads: Torch threads used.
        slowdown: Factor applied on purpose to all times above.
        codings: Tells apart what can be sent, and what is known of it; a profile is of one of them.
    """

    model: str
    revision: str
    preprocess_ms: float
    preprocess_pixels: int = Field(gt=0)
    normalise_ms: float = 0.0
    blocks: list[BlockProfile]
    finish_ms: float
    points: list[PointProfile]
    image_codecs: list[ImageCodecProfile]
    threads: int = 1
    slowdown: float = 1.0
    codings: str = ""

    @property
    def whole_ms(self) -> float:
        """Time of the whole model on this node, from a camera's bytes to the answer."""
        blocks_ms = sum(block.ms for block in self.blocks)
        return self.preprocess_ms + self.normalise_ms + blocks_ms + self.finish_ms


class NodeProfile(BaseModel):
    """All that a node knows of its own speed and of its link.

    Attributes:
        node: Name of the node.
        role: Its role.
        models: Profiles by model id.
        load: How busy each model is that was called lately, by model id.
        link: The link to its peer; None without a peer.
        peer: The peer's profile as last fetched; None without one.
    """

    node: str
    role: Role
    models: dict[str, ModelProfile] = Field(default_factory=dict)
    load: dict[str, ServerLoad] = Field(default_factory=dict)
    link: LinkState | None = None
    peer: NodeProfile | None = None


class Problem(BaseModel):
    """An error body, ``application/problem+json`` (RFC 9457).

    Attributes:
        type: ``urn:edgewright:problem:<code>``.
        title: The status in words.
        status: HTTP status.
        detail: One sentence for a person.
        code: The same code as in ``ErrorInfo``.
        retryable: Whether the unchanged call may succeed later.
        request_id: To find the call in the node's log.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str = ""


class ModelView(BaseModel):
    """A model as KServe's ``/v2/models/{model}`` describes it."""

    name: str
    versions: list[str]
    platform: str = "edgewright"
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    ready: bool
    partition_points: int


class TailResult(BaseModel):
    """What the tail route answers.

    Attributes:
        output: The expert's output.
        model: Model id and revision.
        expert: Expert that read the output.
        stages_ms: ``decode``, ``tail`` and ``finish`` on the edge server.
        load: How busy the model is.
    """

    output: dict[str, Any]
    model: str
    expert: str
    stages_ms: dict[str, float]
    load: ServerLoad | None = None


class LinkProbe(BaseModel):
    """What the probe route answers: the bytes came through, and this is how busy the models are.

    Attributes:
        load: By model id, of the models that were called lately.
    """

    load: dict[str, ServerLoad] = Field(default_factory=dict)


__all__ = [
    "OPTIONS_HEADER",
    "REQUEST_ID_HEADER",
    "Arm",
    "ArmKind",
    "BlockProfile",
    "CardView",
    "Decision",
    "Fallback",
    "Forecast",
    "ImageCodec",
    "ImageCodecProfile",
    "InvokeOptions",
    "InvokeRequest",
    "InvokeResponse",
    "LinkProbe",
    "LinkState",
    "Mime",
    "ModelProfile",
    "ModelView",
    "NodeProfile",
    "PointProfile",
    "Problem",
    "Report",
    "Role",
    "SensorView",
    "ServerLoad",
    "Status",
    "TailResult",
]
