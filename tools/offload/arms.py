"""The arms of a model with their measured costs, computed once for many decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import ModelProfile, PointProfile

_DEVICE_ONLY = Arm(kind="device-only")
_TITLES = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledArm:
    """An arm with its measured costs.

    Attributes:
        arm: The arm.
        description: Description for the start of a sentence.
        summary: Description for the end of a sentence.
        device_ms: Time on the device after the image is preprocessed.
        edge_ms: Time on the edge server, waiting excluded; 0 for device-only.
        bytes_up: Bytes sent.
        accuracy_retention: Share of the accuracy that the encoding keeps.
        codec_missing: Whether the edge server lacks the codec, or has a different one of that name.
    """

    arm: Arm
    description: str
    summary: str
    device_ms: float
    edge_ms: float = 0.0
    bytes_up: int = 0
    accuracy_retention: float = 1.0
    codec_missing: bool = False


def profiled_arms(device: ModelProfile, edge: ModelProfile | None) -> tuple[ProfiledArm, ...]:
    """Return all arms of a model, device-only first.

    A cut is identified by its partition point and codec.

    Args:
        device: The device's profile, slowdown included.
        edge: The edge server's profile; without one, its times are 0.
    """
    device_only_ms = device.normalise_ms + device.tail_ms(0) + device.postprocess_ms
    device_only = ProfiledArm(
        arm=_DEVICE_ONLY,
        description="the device alone, sending nothing",
        summary="on the device",
        device_ms=device_only_ms,
    )
    return (device_only, *_edge_only(device, edge), *_co_inference(device, edge))


def _edge_only(device: ModelProfile, edge: ModelProfile | None) -> Iterator[ProfiledArm]:
    decode_ms = {
        (one.image_codec, one.quality): one.decode_ms for one in (edge.image_codecs if edge else ())
    }
    for codec in device.image_codecs:
        encoding = (codec.image_codec, codec.quality)
        title, size = _TITLES[codec.image_codec], _kilobytes(codec.bytes)
        yield ProfiledArm(
            arm=Arm(kind="edge-only", image_codec=codec.image_codec, quality=codec.quality),
            description=f"the edge server alone, receiving {size} of {title}",
            summary=f"sending {size} of {title}",
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
        head_ms = device.head_ms(point.point)
        yield ProfiledArm(
            arm=Arm(kind="co-inference", point=point.point, codec=point.codec),
            description=f"co-inference after block {point.point}, sending {size}",
            summary=f"cut after block {point.point} ({size})",
            device_ms=device.normalise_ms + head_ms + point.encode_ms,
            edge_ms=_tail_ms(edge, resume, decode_ms.get(key, 0.0)) if edge else 0.0,
            bytes_up=point.frame_bytes,
            accuracy_retention=point.accuracy_retention,
            codec_missing=key not in decode_ms,
        )


def _codec_of(point: PointProfile) -> tuple[int, str, str]:
    """Return the identity of a codec, which must be the same on both nodes."""
    return point.point, point.codec, point.fingerprint


def _whole_ms(edge: ModelProfile, decode_ms: float | None) -> float:
    if decode_ms is None:  # not measured; a camera's image takes about as long
        decode_ms = edge.preprocess_ms + edge.normalise_ms
    return _tail_ms(edge, 0, decode_ms)


def _tail_ms(edge: ModelProfile, start: int, decode_ms: float) -> float:
    return decode_ms + edge.tail_ms(start) + edge.postprocess_ms


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 10_000 else f"{size / 1000:.0f} KB"
