"""Every way to run a model, with what the two profiles say of it; made once for many decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import ModelProfile, PointProfile

_DEVICE_ONLY = Arm(kind="device-only")
_TITLES = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledArm:
    """An arm and its measured parts.

    Attributes:
        arm: The arm.
        words: What it does, as the beginning of a sentence.
        short: What it does, in a few words.
        device_ms: Time on the device after the picture was read and fitted.
        edge_ms: Time on the edge server, without waiting; 0 for device-only.
        bytes_up: Bytes sent.
        accuracy_retention: Share of the accuracy that coding leaves.
        unknown: Whether the edge server does not hold the codec, or another one of that name.
    """

    arm: Arm
    words: str
    short: str
    device_ms: float
    edge_ms: float = 0.0
    bytes_up: int = 0
    accuracy_retention: float = 1.0
    unknown: bool = False


def profiled_arms(device: ModelProfile, edge: ModelProfile | None) -> tuple[ProfiledArm, ...]:
    """Return all arms of a model, device-only first.

    A cut is told from others by its partition point and its codec together.

    Args:
        device: The device's profile, its slow-down included.
        edge: The edge server's; None when it has none, which leaves the times there at 0.
    """
    alone_ms = (
        device.normalise_ms + sum(block.ms for block in device.blocks) + device.postprocess_ms
    )
    alone = ProfiledArm(
        arm=_DEVICE_ONLY,
        words="the device alone sends nothing",
        short="on the device",
        device_ms=alone_ms,
    )
    return (alone, *_edge_only(device, edge), *_co_inference(device, edge))


def _edge_only(device: ModelProfile, edge: ModelProfile | None) -> Iterator[ProfiledArm]:
    decode_ms = {
        (one.image_codec, one.quality): one.decode_ms for one in (edge.image_codecs if edge else ())
    }
    for codec in device.image_codecs:
        encoding = (codec.image_codec, codec.quality)
        title, size = _TITLES[codec.image_codec], _kilobytes(codec.bytes)
        yield ProfiledArm(
            arm=Arm(kind="edge-only", image_codec=codec.image_codec, quality=codec.quality),
            words=f"the edge server alone gets {size} of {title}",
            short=f"sending {size} of {title}",
            device_ms=codec.encode_ms,
            edge_ms=_whole_ms(edge, decode_ms.get(encoding)) if edge else 0.0,
            bytes_up=codec.bytes,
            accuracy_retention=codec.accuracy_retention,
        )


def _co_inference(device: ModelProfile, edge: ModelProfile | None) -> Iterator[ProfiledArm]:
    decode_ms = {_codec_of(one): one.decode_ms for one in (edge.points if edge else ())}
    for point in device.points:
        key = _codec_of(point)
        size = _kilobytes(point.frame_bytes)
        resume = point.point if point.resume_point is None else point.resume_point
        head_ms = sum(block.ms for block in device.blocks[: point.point])
        yield ProfiledArm(
            arm=Arm(kind="co-inference", point=point.point, codec=point.codec),
            words=f"co-inference after {point.name} sends {size}",
            short=f"cut after {point.name} ({size})",
            device_ms=device.normalise_ms + head_ms + point.encode_ms,
            edge_ms=_tail_ms(edge, resume, decode_ms.get(key, 0.0)) if edge else 0.0,
            bytes_up=point.frame_bytes,
            accuracy_retention=point.accuracy_retention,
            unknown=key not in decode_ms,
        )


def _codec_of(point: PointProfile) -> tuple[int, str, str]:
    """Return what both nodes have to hold alike."""
    return point.point, point.codec, point.fingerprint


def _whole_ms(edge: ModelProfile, decode_ms: float | None) -> float:
    if decode_ms is None:  # not measured; a camera's picture takes it about as long
        decode_ms = edge.preprocess_ms + edge.normalise_ms
    return _tail_ms(edge, 0, decode_ms)


def _tail_ms(edge: ModelProfile, start: int, decode_ms: float) -> float:
    return decode_ms + sum(block.ms for block in edge.blocks[start:]) + edge.postprocess_ms


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 10_000 else f"{size / 1000:.0f} KB"
