"""What a codec's folder says of itself: ``manifest.json`` beside its two halves."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import UnavailableError

MANIFEST = "manifest.json"
DEVICE_HALF = "device.safetensors"
EDGE_HALF = "edge.safetensors"
_MAX_VALUES = 4_000_000
#: Largest absolute value that a quantised latent may have.
MAX_REACH = 127


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Layout(_Frozen):
    """Shapes and sizes of a codec's two networks.

    Attributes:
        shape: Features at the partition point, without the batch dimension.
        decoded_shape: Features that the decoder makes, without the batch dimension.
        channels: Channels of the latent; each has a frequency table.
        positions: Values in each channel; a square number for feature maps.
        width: Width of the encoder's first layer; each further one is twice as wide. 0 with blocks.
        decoder_width: Width of the decoder; 0 with blocks.
        block: Height and width of the blocks of a map that are transformed each by itself; 0 for
            networks that see more than a block.
    """

    shape: tuple[int, ...]
    decoded_shape: tuple[int, ...]
    channels: int = Field(ge=1, le=1024)
    positions: int = Field(ge=1, le=_MAX_VALUES)
    width: int = Field(default=0, ge=0, le=4096)
    decoder_width: int = Field(default=0, ge=0, le=8192)
    block: int = Field(default=0, ge=0, le=16)


class Source(_Frozen):
    """Pictures that a codec was made from.

    Attributes:
        name: What they are called.
        licence: Their licence, which the weights may inherit.
        count: How many there were.
    """

    name: str
    licence: str
    count: int


class Figures(_Frozen):
    """How one rate point did on the validation pictures.

    Attributes:
        payload_bytes: Mean length of a payload.
        entropy_bytes: Mean information in it; what an ideal coder would take.
        same_answers: Share of answers, such as first labels, that are the uncut model's.
        accuracy: Share of answers that are right; None if nobody knows.
        uncut_accuracy: The uncut model's share; None if nobody knows.
    """

    payload_bytes: float
    entropy_bytes: float
    same_answers: float
    accuracy: float | None = None
    uncut_accuracy: float | None = None


class CodecManifest(_Frozen):
    """A codec for one model at one partition point, with several rate points.

    The decoder may stand for the blocks from ``point`` to ``decoder_point`` and the blocks behind
    them may be tuned; the unchanged model goes on at ``resume_point``.

    Attributes:
        name: Short name; with the rate it names the codec in arms and reports.
        model: Model id.
        revision: Fingerprint of the model's weights.
        point: Partition point; the head runs so many blocks.
        decoder_point: Point at which the decoder's output stands.
        resume_point: Point at which the unchanged model goes on.
        layout: Shapes and sizes of the two networks.
        reach: Largest absolute value of a quantised latent.
        rates: Figures of each rate point, from the most bytes to the fewest.
        recipe: How it was made, as JSON values.
        source: What it was made from.
        encoder_parameters: Number of the encoder's parameters.
        device_digest: SHA-256 of the device's half, hexadecimal.
        edge_digest: SHA-256 of the edge server's half, hexadecimal.
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

    def codec_name(self, rate: int) -> str:
        """Return the name of a rate point, counted from 1 as people do."""
        return f"{self.name}-{rate + 1}"

    def fingerprint(self, rate: int) -> bytes:
        """Return the eight bytes that frames of a rate point carry.

        They stand for everything that both sides must share: model, point and, by their digests,
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
        UnavailableError: There is none, or it is damaged (``codec_unreadable``).
    """
    try:
        return CodecManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        raise UnavailableError(
            f"{folder.name!r} holds no {MANIFEST} of a codec that this release can read; train or "
            "fetch the codec again",
            code="codec_unreadable",
        ) from None


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
