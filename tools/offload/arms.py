"""The arms of a model with their measured costs, computed once for many decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from edgewright.tools.contracts.arms import Arm, Precision, server_words
from edgewright.tools.contracts.profiles import (
    ModelProfile,
    PointProfile,
    PrecisionProfile,
    Role,
)
from edgewright.tools.offload.accuracy_retention import WHOLE, image_key

#: Stage of resizing an image and turning it into the network's input.
PREPROCESS = "preprocess"
#: Stage of all blocks that a node runs, and of reading the output.
BLOCKS = "blocks"

_TITLES = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledArm:
    """An arm with its measured costs.

    Attributes:
        arm: The arm.
        description: Description for the start of a sentence.
        summary: Description for the end of a sentence.
        device_stages: Milliseconds on the device after the image is resized, by stage.
        edge_stages: Milliseconds on the peer, waiting excluded; empty for device-only.
        bytes_up: Bytes sent.
        accuracy_retention: Share of the accuracy that the encoding keeps.
        missing: What the peer lacks, or has otherwise: ``codec`` or ``precision``.
    """

    arm: Arm
    description: str
    summary: str
    device_stages: Mapping[str, float]
    edge_stages: Mapping[str, float] = field(default_factory=dict)
    bytes_up: int = 0
    accuracy_retention: float = 1.0
    missing: str = ""

    @property
    def device_ms(self) -> float:
        """Time on the device after the image is resized."""
        return sum(self.device_stages.values())

    @property
    def edge_ms(self) -> float:
        """Time on the peer, waiting excluded; 0 for device-only."""
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


def profiled_arms(
    device: ModelProfile,
    peers: Mapping[str, ModelProfile | None],
    *,
    role: Role = "device",
) -> tuple[ProfiledArm, ...]:
    """Return all arms of a model: those that stay on the node, then those of each peer.

    A cut is identified by its peer, partition point and codec, at each precision.

    Args:
        device: The node's profile, slowdown included.
        peers: The peers' profiles by name; without one, its stages are empty.
        role: The node's role; a server passes on whole tasks only.
    """
    local = [
        _device_only(device, "fp32", role),
        *(
            _device_only(_quantised(device, costs), costs.precision, role)
            for costs in device.precisions
        ),
    ]
    if role != "device":
        device = device.model_copy(update={"points": []})
    remote: list[ProfiledArm] = []
    for peer, edge in peers.items():
        to = f" to {server_words(peer)}" if len(peers) > 1 else ""
        remote += _arms_of(peer, to, device, edge)
    return (*local, *remote)


def _arms_of(
    peer: str, to: str, device: ModelProfile, edge: ModelProfile | None
) -> Iterator[ProfiledArm]:
    """Yield the arms that use a peer, which sentences name by ``to`` where there are several."""
    yield from _edge_only(peer, to, device, edge, "fp32")
    yield from _co_inference(peer, to, device, edge, "fp32")
    for costs in device.precisions:
        on_edge = edge.at(costs.precision) if edge else None
        same = on_edge is not None and on_edge.fingerprint == costs.fingerprint
        at_edge = _quantised(edge, on_edge) if edge and on_edge and same else None
        lacking = "" if edge is None or same else "precision"
        here = _quantised(device, costs)
        for arms in (_edge_only, _co_inference):
            for one in arms(peer, to, here, at_edge, costs.precision):
                yield replace(one, missing=lacking or one.missing)


def _quantised(profile: ModelProfile, costs: PrecisionProfile) -> ModelProfile:
    """Return a profile as it is at another precision; what was not measured keeps no accuracy."""
    known = costs.accuracy_retention
    points = [
        one.model_copy(update={"accuracy_retention": known.get(_key_of(one), 0.0)})
        for one in profile.points
    ]
    image_codecs = [
        one.model_copy(
            update={
                "accuracy_retention": known.get(
                    WHOLE if one.quality is None else image_key(one.image_codec, one.quality), 0.0
                )
            }
        )
        for one in profile.image_codecs
    ]
    times = {"heads_ms": costs.heads_ms, "tails_ms": costs.tails_ms}
    return profile.model_copy(update={**times, "points": points, "image_codecs": image_codecs})


def _key_of(point: PointProfile) -> str:
    """Return the key of a codec's accuracy retention, as ``codec_key`` does."""
    return f"{point.point} {point.codec} {point.fingerprint}"


def _device_only(device: ModelProfile, precision: Precision, role: Role) -> ProfiledArm:
    here = "the device" if role == "device" else "this server"
    words = _precision_words(precision)
    whole = device.at(precision)
    return ProfiledArm(
        arm=Arm(kind="device-only", precision=precision),
        description=f"{here} alone{words}, sending nothing",
        summary=f"on {here}{words}",
        device_stages={PREPROCESS: device.normalise_ms, BLOCKS: _blocks_ms(device, 0)},
        accuracy_retention=whole.accuracy_retention.get(WHOLE, 0.0) if whole else 1.0,
    )


def _edge_only(
    peer: str, to: str, device: ModelProfile, edge: ModelProfile | None, precision: Precision
) -> Iterator[ProfiledArm]:
    words = _precision_words(precision)
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
            arm=Arm(
                kind="edge-only",
                peer=peer,
                image_codec=codec.image_codec,
                quality=codec.quality,
                precision=precision,
            ),
            description=f"{server_words(peer)} alone{words}, receiving {size} of {title}",
            summary=f"sending {size} of {title}{to}{words}",
            device_stages={encoding(codec.image_codec): codec.encode_ms},
            edge_stages=edge_stages,
            bytes_up=codec.bytes,
            accuracy_retention=codec.accuracy_retention,
        )


def _co_inference(
    peer: str, to: str, device: ModelProfile, edge: ModelProfile | None, precision: Precision
) -> Iterator[ProfiledArm]:
    words = _precision_words(precision)
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
            arm=Arm(
                kind="co-inference",
                peer=peer,
                point=point.point,
                codec=point.codec,
                precision=precision,
            ),
            description=f"co-inference{words} after block {point.point}, sending {size}{to}",
            summary=f"cut after block {point.point} ({size}{to}){words}",
            device_stages={
                PREPROCESS: device.normalise_ms,
                BLOCKS: device.head_ms(point.point),
                encoding(point.codec): point.encode_ms,
            },
            edge_stages=edge_stages,
            bytes_up=point.frame_bytes,
            accuracy_retention=point.accuracy_retention,
            missing="" if key in decode_ms else "codec",
        )


def _codec_of(point: PointProfile) -> tuple[int, str, str]:
    """Return the identity of a codec, which must be the same on both nodes."""
    return point.point, point.codec, point.fingerprint


def _precision_words(precision: Precision) -> str:
    return "" if precision == "fp32" else f" at {precision}"


def _blocks_ms(profile: ModelProfile, start: int) -> float:
    return profile.tail_ms(start) + profile.postprocess_ms


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 10_000 else f"{size / 1000:.0f} KB"
