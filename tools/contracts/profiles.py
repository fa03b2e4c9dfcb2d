"""Profiles: measured times of models on a node, and a node's view of its own speed and link."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.contracts.arms import ImageCodec, LinkState, Precision, ServerLoad
from edgewright.tools.contracts.images import Mime

Role = Literal["device", "edge", "cloud"]


#: What may be sent to a peer: images, or only the features of models that are cut.
Receives = Literal["images", "features"]


EngineName = Literal["onnx", "torch", "sandbox"]


_ENGINES = {"onnx": "ONNX Runtime", "torch": "PyTorch", "sandbox": "sandbox"}


class EngineInfo(BaseModel):
    """The engine that runs a model.

    Attributes:
        name: ``onnx`` is ONNX Runtime, ``torch`` is PyTorch, and ``sandbox`` is the sandboxed
            process of a model that was trained here.
        provider: Hardware that runs it, by the name of ONNX Runtime's execution provider, without
            the suffix: ``CPU``, ``CUDA``, ``TensorRT`` or ``OpenVINO``.
    """

    model_config = ConfigDict(frozen=True)

    name: EngineName
    provider: str = "CPU"

    @property
    def label(self) -> str:
        """Return its name for a person, such as ``ONNX Runtime on CPU``."""
        return f"{_ENGINES[self.name]} on {self.provider}"


class BlockProfile(BaseModel):
    """Median time of one block over several runs, in milliseconds."""

    name: str
    ms: float


class PointProfile(BaseModel):
    """The cost of cutting the model at one partition point.

    Attributes:
        point: Number of blocks in the head.
        name: Name of the head's last block.
        frame_bytes: Median size of the frame over the calibration photographs.
        encode_ms: Time to quantise and encode the features.
        decode_ms: Time to decode and dequantise them.
        accuracy_retention: Share of the uncut model's top-1 accuracy that the encoding keeps;
            ``tools/offload/profiling/cut_profile.py`` documents the estimate.
        codec: Name of the feature codec.
        resume_point: Block at which the model resumes after decoding; None means ``point``. It is
            larger when the codec's decoder replaces some blocks.
        fingerprint: Hexadecimal fingerprint of the codec; two nodes can use it only if they hold
            the same one.
    """

    point: int
    name: str
    frame_bytes: int
    encode_ms: float
    decode_ms: float
    accuracy_retention: float
    codec: str = "quantised8"
    resume_point: int | None = None
    fingerprint: str = ""


class DecodingProfile(BaseModel):
    """The cost of decoding an image of one type: so much for a pixel, and so much for a byte.

    Attributes:
        mime: Type of the image.
        ms_per_megapixel: Time for a million pixels, besides that for their bytes.
        ms_per_megabyte: Time for a million bytes.
        pixels: Median number of pixels of the calibration photographs.
        bytes: Their median size in this type.
    """

    mime: Mime
    ms_per_megapixel: float = Field(ge=0)
    ms_per_megabyte: float = Field(ge=0)
    pixels: int = Field(gt=0)
    bytes: int = Field(gt=0)

    def ms(self, pixels: int, size_bytes: int) -> float:
        """Return the time for an image in milliseconds."""
        return (self.ms_per_megapixel * pixels + self.ms_per_megabyte * size_bytes) / 1e6


class ImageCodecProfile(BaseModel):
    """The cost of sending an image with one image codec at the model's input size.

    Attributes:
        image_codec: Codec name.
        quality: Quality setting; None for PNG.
        bytes: Median size over the calibration photographs.
        encode_ms: Time to encode.
        decode_ms: Time to decode.
        accuracy_retention: Share of the uncut model's top-1 accuracy that the encoding keeps;
            ``tools/offload/profiling/cut_profile.py`` documents the estimate.
    """

    image_codec: ImageCodec
    quality: int | None
    bytes: int
    encode_ms: float
    decode_ms: float
    accuracy_retention: float


class PrecisionProfile(BaseModel):
    """The cost of a model at a precision other than ``fp32``.

    Attributes:
        precision: The precision.
        fingerprint: Hexadecimal fingerprint of the quantisation; two nodes can share a task at this
            precision only if they have the same one.
        heads_ms: Time of the head at each partition point, from 0 on.
        tails_ms: Time of the tail at each partition point, likewise.
        accuracy_retention: Share of the top-1 accuracy in ``fp32`` that is kept, by what is sent:
            ``whole`` if nothing is, else the key of an encoding in ``offload/accuracy_retention``.
    """

    precision: Precision
    fingerprint: str
    heads_ms: list[float]
    tails_ms: list[float]
    accuracy_retention: dict[str, float]


class ModelProfile(BaseModel):
    """Measured times of one model on one node.

    Attributes:
        model: Model id.
        revision: Fingerprint of the weights.
        decoding: Cost of decoding an image, by type; the first is what a camera produces. Every
            arm starts with it.
        preprocess_ms: Time to resize a decoded image; every arm continues with it.
        preprocess_pixels: Pixels of the images with which ``preprocess_ms`` was measured.
        normalise_ms: Time to turn the resized image into the network's input, on the node that runs
            the first block.
        blocks: Every block in order, the classifier included.
        heads_ms: Time of the head at each partition point, from 0 on; empty if it is the sum of its
            blocks. ONNX Runtime optimises the operations of a head together, across its blocks.
        tails_ms: Time of the tail at each partition point, likewise.
        postprocess_ms: Median time for the expert to interpret the output.
        experts_ms: Time that each expert takes to look at an image, by its id, if experts share the
            model's networks but do not all run the same ones.
        points: Costs of the partition points.
        image_codecs: Costs of the image codecs.
        precisions: Costs at other precisions than ``fp32``, whose accuracy retention is known.
        engine: The engine that ran the blocks.
        threads: Number of threads that ran each operation.
        slowdown: Factor applied deliberately to all times above.
        encodings: Fingerprint of the engine, all encodings, and their stored accuracy retention.
    """

    model: str
    revision: str
    decoding: list[DecodingProfile] = Field(min_length=1)
    preprocess_ms: float
    preprocess_pixels: int = Field(gt=0)
    normalise_ms: float = 0.0
    blocks: list[BlockProfile]
    heads_ms: list[float] = Field(default_factory=list)
    tails_ms: list[float] = Field(default_factory=list)
    postprocess_ms: float
    experts_ms: dict[str, float] = Field(default_factory=dict)
    points: list[PointProfile]
    image_codecs: list[ImageCodecProfile]
    precisions: list[PrecisionProfile] = Field(default_factory=list)
    engine: EngineInfo = EngineInfo(name="torch")
    threads: int = 1
    slowdown: float = 1.0
    encodings: str = ""

    @property
    def whole_ms(self) -> float:
        """Time of the uncut model on this node, from a camera's encoded image to answer."""
        camera = self.decoding[0]
        input_ms = camera.ms(camera.pixels, camera.bytes) + self.preprocess_ms
        return input_ms + self.normalise_ms + self.tail_ms(0) + self.postprocess_ms

    def share_of(self, expert: str) -> float:
        """Return how long an expert takes, relative to the blocks; 1 if that was not measured."""
        blocks_ms = self.tail_ms(0) + self.postprocess_ms
        return self.experts_ms.get(expert, blocks_ms) / blocks_ms if blocks_ms else 1.0

    def at(self, precision: Precision) -> PrecisionProfile | None:
        """Return the costs at a precision other than ``fp32``; None if it was not measured."""
        return next((one for one in self.precisions if one.precision == precision), None)

    def head_ms(self, point: int) -> float:
        """Return the time of the blocks before a partition point."""
        if self.heads_ms:
            return self.heads_ms[point]
        return sum(block.ms for block in self.blocks[:point])

    def tail_ms(self, point: int) -> float:
        """Return the time of the blocks after a partition point."""
        if self.tails_ms:
            return self.tails_ms[point]
        return sum(block.ms for block in self.blocks[point:])


class PeerView(BaseModel):
    """A peer, as a node sees it.

    Attributes:
        link: The link to it.
        profile: Its profile as last fetched; None until then.
        receives: What may be sent to it.
        price_per_hour: Price of an hour of its computing.
    """

    link: LinkState
    profile: NodeProfile | None = None
    receives: Receives = "images"
    price_per_hour: float = 0.0


class NodeProfile(BaseModel):
    """A node's measured speed, its load and its peers.

    Attributes:
        node: Name of the node.
        role: Role of the node.
        models: Profiles by model id.
        load: Load by model id, for the recently called models.
        peers: Its peers, by the names that it gives them.
    """

    node: str
    role: Role
    models: dict[str, ModelProfile] = Field(default_factory=dict)
    load: dict[str, ServerLoad] = Field(default_factory=dict)
    peers: dict[str, PeerView] = Field(default_factory=dict)

    @property
    def knows_peers(self) -> bool:
        """Whether it has peers, and the measured times of all of them."""
        profiles = [peer.profile for peer in self.peers.values()]
        return bool(profiles) and all(one is not None and one.models for one in profiles)
