"""The arms of a model with their measured costs, computed once for many decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import ModelProfile, PointProfile

#: Stage of resizing an image and turning it into the network's input.
PREPROCESS = "preprocess"
#: Stage of all blocks that a node runs, and of reading the output.
BLOCKS = "blocks"

_DEVICE_ONLY = Arm(kind="device-only")
_TITLES = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledArm:
    """An arm with its measured costs.

    Attributes:
        arm: The arm.
        description: Description for the start of a sentence.
        summary: Description for the end of a sentence.
        device_stages: Milliseconds on the device after the image is resized, by stage.
        edge_stages: Milliseconds on the edge server, waiting excluded; empty for device-only.
        bytes_up: Bytes sent.
        accuracy_retention: Share of the accuracy that the encoding keeps.
        codec_missing: Whether the edge server lacks the codec, or has a different one of that name.
    """

    arm: Arm
    description: str
    summary: str
    device_stages: Mapping[str, float]
    edge_stages: Mapping[str, float] = field(default_factory=dict)
    bytes_up: int = 0
    accuracy_retention: float = 1.0
    codec_missing: bool = False

    @property
    def device_ms(self) -> float:
        """Time on the device after the image is resized."""
        return sum(self.device_stages.values())

    @property
    def edge_ms(self) -> float:
        """Time on the edge server, waiting excluded; 0 for device-only."""
        return sum(self.edge_stages.values())


def decoding(kind: str) -> str:
    """Return the stage that decodes an image of a type, or the bytes of a codec."""
    return f"decode {kind}"


def encoding(codec: str) -> str:
    """Return the stage that encodes with an image codec or a feature codec."""
    return f"encode {codec}"


def codec_of(arm: Arm) -> str:
    """Return the name of the codec whose bytes an arm sends; empty for device-only."""
    return arm.codec or arm.image_codec or ""


def profiled_arms(device: ModelProfile, edge: ModelProfile | None) -> tuple[ProfiledArm, ...]:
    """Return all arms of a model, device-only first.

    A cut is identified by its partition point and codec.

    Args:
        device: The device's profile, slowdown included.
        edge: The edge server's profile; without one, its stages are empty.
    """
    device_only = ProfiledArm(
        arm=_DEVICE_ONLY,
        description="the device alone, sending nothing",
        summary="on the device",
        device_stages={PREPROCESS: device.normalise_ms, BLOCKS: _blocks_ms(device, 0)},
    )
    return (device_only, *_edge_only(device, edge), *_co_inference(device, edge))


def _edge_only(device: ModelProfile, edge: ModelProfile | None) -> Iterator[ProfiledArm]:
    decode_ms = {
        (one.image_codec, one.quality): one.decode_ms for one in (edge.image_codecs if edge else ())
    }
    for codec in device.image_codecs:
        title, size = _TITLES[codec.image_codec], _kilobytes(codec.bytes)
        edge_stages = {}
        if edge:
            # If not measured, a camera's image takes about as long.
            received_ms = decode_ms.get(
                (codec.image_codec, codec.quality), edge.preprocess_ms + edge.normalise_ms
            )
            edge_stages = {decoding(codec.image_codec): received_ms, BLOCKS: _blocks_ms(edge, 0)}
        yield ProfiledArm(
            arm=Arm(kind="edge-only", image_codec=codec.image_codec, quality=codec.quality),
            description=f"the edge server alone, receiving {size} of {title}",
            summary=f"sending {size} of {title}",
            device_stages={encoding(codec.image_codec): codec.encode_ms},
            edge_stages=edge_stages,
            bytes_up=codec.bytes,
            accuracy_retention=codec.accuracy_retention,
        )


def _co_inference(device: ModelProfile, edge: ModelProfile | None) -> Iterator[ProfiledArm]:
    decode_ms = {_codec_of(one): one.decode_ms for one in (edge.points if edge else ())}
    for point in device.points:
        key = _codec_of(point)
        size = _kilobytes(point.frame_bytes)
        resume = point.point if point.resume_point is None else point.resume_point
        edge_stages = {}
        if edge:
            received_ms = decode_ms.get(key, 0.0)
            edge_stages = {decoding(point.codec): received_ms, BLOCKS: _blocks_ms(edge, resume)}
        yield ProfiledArm(
            arm=Arm(kind="co-inference", point=point.point, codec=point.codec),
            description=f"co-inference after block {point.point}, sending {size}",
            summary=f"cut after block {point.point} ({size})",
            device_stages={
                PREPROCESS: device.normalise_ms,
                BLOCKS: device.head_ms(point.point),
                encoding(point.codec): point.encode_ms,
            },
            edge_stages=edge_stages,
            bytes_up=point.frame_bytes,
            accuracy_retention=point.accuracy_retention,
            codec_missing=key not in decode_ms,
        )


def _codec_of(point: PointProfile) -> tuple[int, str, str]:
    """Return the identity of a codec, which must be the same on both nodes."""
    return point.point, point.codec, point.fingerprint


def _blocks_ms(profile: ModelProfile, start: int) -> float:
    return profile.tail_ms(start) + profile.postprocess_ms


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 10_000 else f"{size / 1000:.0f} KB"
