"""Profiles: measured times of models on a node, and all that a node knows of its own speed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from edgewright.tools.contracts.arms import ImageCodec, LinkState, ServerLoad

Role = Literal["device", "edge"]


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
        accuracy_retention: Share of the uncut model's top-1 accuracy that the encoding keeps
            (``tools/offload/profile.py`` says how it is estimated).
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
    accuracy_retention: float
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
        accuracy_retention: Share of the uncut model's top-1 accuracy that the encoding keeps
            (``tools/offload/profile.py`` says how it is estimated).
    """

    image_codec: ImageCodec
    quality: int | None
    bytes: int
    encode_ms: float
    decode_ms: float
    accuracy_retention: float


class ModelProfile(BaseModel):
    """Measured times of one model on one node.

    Attributes:
        model: Model id.
        revision: Fingerprint of the weights.
        preprocess_ms: Decode and resize; every arm begins with it.
        preprocess_pixels: Pixels of the pictures for which that was measured.
        normalise_ms: Turn the resized picture into the network's input, where blocks are run.
        blocks: Every block in order, the classifier included.
        postprocess_ms: Median time for the expert to read the output.
        points: The cuts.
        image_codecs: The codings of the picture.
        threads: Torch threads used.
        slowdown: Factor applied on purpose to all times above.
        encodings: Fingerprint of all encodings and of what is known of their accuracy.
    """

    model: str
    revision: str
    preprocess_ms: float
    preprocess_pixels: int = Field(gt=0)
    normalise_ms: float = 0.0
    blocks: list[BlockProfile]
    postprocess_ms: float
    points: list[PointProfile]
    image_codecs: list[ImageCodecProfile]
    threads: int = 1
    slowdown: float = 1.0
    encodings: str = ""

    @property
    def whole_ms(self) -> float:
        """Time of the whole model on this node, from a camera's bytes to the answer."""
        blocks_ms = sum(block.ms for block in self.blocks)
        return self.preprocess_ms + self.normalise_ms + blocks_ms + self.postprocess_ms


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
