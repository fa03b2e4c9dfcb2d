"""The manifest of a learned codec: ``manifest.json``, stored beside its two halves."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import UnavailableError

MANIFEST = "manifest.json"
DEVICE_HALF = "device.safetensors"
EDGE_HALF = "edge.safetensors"
#: Graphs of the networks, which read their weights from the device half and the edge half.
ENCODER_GRAPH = "encoder.onnx"
DECODER_GRAPH = "decoder.onnx"
_MAX_VALUES = 4_000_000
#: Maximum absolute value of a quantised latent.
MAX_REACH = 127


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Layout(_Frozen):
    """Shapes and sizes of a codec's two networks.

    Attributes:
        shape: Shape of the features at the partition point, without the batch dimension.
        decoded_shape: Shape of the decoder's output, without the batch dimension.
        channels: Channels of the latent; each has its own frequency table.
        positions: Values per channel; a square number for feature maps.
        width: Width of the encoder's first layer; it doubles with each layer. 0 for block
            transforms.
        decoder_width: Width of the decoder; 0 for block transforms.
        block: Height and width of the map's blocks for a block transform, which transforms each
            block separately; 0 for convolutional networks.
    """

    shape: tuple[int, ...]
    decoded_shape: tuple[int, ...]
    channels: int = Field(ge=1, le=1024)
    positions: int = Field(ge=1, le=_MAX_VALUES)
    width: int = Field(default=0, ge=0, le=4096)
    decoder_width: int = Field(default=0, ge=0, le=8192)
    block: int = Field(default=0, ge=0, le=16)


class Source(_Frozen):
    """The images that a codec was trained on.

    Attributes:
        name: Name of the data set.
        licence: Licence of the images, which the weights may inherit.
        count: Number of images.
    """

    name: str
    licence: str
    count: int


class Figures(_Frozen):
    """Results of one rate point on the validation images.

    Attributes:
        payload_bytes: Mean size of a payload.
        entropy_bytes: Mean information in a payload; the size that an ideal coder would reach.
        same_answers: Share of answers, such as top-1 labels, that equal the uncut model's.
        accuracy: Share of correct answers; None if unknown.
        uncut_accuracy: The uncut model's share of correct answers; None if unknown.
    """

    payload_bytes: float
    entropy_bytes: float
    same_answers: float
    accuracy: float | None = None
    uncut_accuracy: float | None = None


class CodecManifest(_Frozen):
    """A codec for one model at one partition point, with several rate points.

    The decoder may replace the blocks from ``point`` to ``decoder_point``, and the blocks from
    there to ``resume_point`` may be tuned. The unchanged model resumes at ``resume_point``.

    Attributes:
        name: Short name; with the number of the rate point it names the codec in arms and reports.
        model: Model id.
        revision: Fingerprint of the model's weights.
        point: Partition point: the number of blocks in the head.
        decoder_point: Point whose features the decoder outputs.
        resume_point: Point at which the unchanged model resumes.
        layout: Shapes and sizes of the two networks.
        reach: Maximum absolute value of a quantised latent.
        rates: Results of each rate point, in descending order of bytes.
        recipe: The training recipe, as JSON values.
        source: The training images.
        encoder_parameters: Number of parameters of the encoder.
        device_digest: Hexadecimal SHA-256 of the device half.
        edge_digest: Hexadecimal SHA-256 of the edge half.
        graphs: Hexadecimal SHA-256 of the networks' graphs, by file name.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    model: str
    revision: str
    point: int = Field(ge=1)
    decoder_point: int
    resume_point: int
    layout: Layout
    reach: int = Field(ge=1, le=MAX_REACH)
    rates: tuple[Figures, ...] = Field(min_length=1, max_length=16)
    recipe: dict[str, object]
    source: Source
    encoder_parameters: int
    device_digest: str
    edge_digest: str
    graphs: dict[str, str] = Field(default_factory=dict)

    def codec_name(self, rate: int) -> str:
        """Return the name of a rate point; names count from 1."""
        return f"{self.name}-{rate + 1}"

    def fingerprint(self, rate: int) -> bytes:
        """Return the 8-byte fingerprint carried by frames of a rate point.

        It covers everything that both sides must share: model, point and, through their digests,
        all weights and tables of both halves.
        """
        identity = self.model_dump_json(
            include={
                "name", "model", "revision", "point", "resume_point", "layout", "reach",
                "device_digest", "edge_digest",
            },
            exclude_defaults=True,  # so that older codecs keep their fingerprints
        )  # fmt: skip
        return hashlib.sha256(f"{identity} {rate}".encode()).digest()[:8]


def read_manifest(folder: Path) -> CodecManifest:
    """Read a codec's manifest.

    Raises:
        UnavailableError: The manifest is missing or damaged (``codec_unreadable``).
    """
    try:
        return CodecManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        raise UnavailableError(
            f"{folder.name!r} contains no codec {MANIFEST} that this release can read; train or "
            "copy the codec again",
            code="codec_unreadable",
        ) from None


def digest_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
