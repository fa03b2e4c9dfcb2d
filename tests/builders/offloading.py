"""Profiles, links and situations for tests of the offloading policy."""

from typing import Any

from edgewright.tools.contracts.arms import Arm, Decision, LinkState, ServerLoad
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.policy import OffloadingPolicy

FRAME_BYTES = (60_000, 20_000, 8_000, 4_000)


def profile(slowdown: float = 1.0, **changes: Any) -> ModelProfile:
    """Return a profile with five blocks of 10 ms and frames that shrink from point to point."""
    defaults: dict[str, Any] = {
        "model": "m",
        "revision": "r",
        "decoding": [decoding("image/jpeg", 3 * slowdown), decoding("image/png", 9 * slowdown)],
        "preprocess_ms": 2 * slowdown,
        "preprocess_pixels": 200_000,
        "blocks": [BlockProfile(name=f"block{n}", ms=10 * slowdown) for n in range(1, 6)],
        "postprocess_ms": 1 * slowdown,
        "points": [
            PointProfile(
                point=point,
                name=f"block{point}",
                frame_bytes=size,
                encode_ms=0.5 * slowdown,
                decode_ms=0.5 * slowdown,
                accuracy_retention=1.0,
            )
            for point, size in enumerate(FRAME_BYTES, start=1)
        ],
        "image_codecs": [
            image_codec("png", None, 80_000, 1.0, slowdown),
            image_codec("jpeg", 90, 12_000, 0.96, slowdown),
            image_codec("webp", 90, 9_000, 0.97, slowdown),
        ],
        "slowdown": slowdown,
    }
    return ModelProfile(**{**defaults, **changes})


def decoding(mime: Any, ms: float) -> DecodingProfile:
    """Return a profile in which a photograph of 200,000 pixels and 40 KB takes some time."""
    return DecodingProfile(
        mime=mime,
        ms_per_megapixel=0.75 * ms / 0.2,
        ms_per_megabyte=0.25 * ms / 0.04,
        pixels=200_000,
        bytes=40_000,
    )


def stages(arm: Arm, slowdown: float, *, edge: float = 1.0) -> dict[str, float]:
    """Return what a task costs by ``profile``, on a slowed device and a slowed edge server."""
    own, theirs = {"decode": 3.0, "preprocess": 2.0}, {"edge_postprocess": 1.0}
    if arm.kind == "device-only":
        own |= {"whole": 50.0, "postprocess": 1.0}
        theirs = {}
    elif arm.kind == "edge-only":
        own |= {"encode": 2.0}
        theirs |= {"edge_decode": 1.5, "edge_preprocess": 0.5, "edge_whole": 50.0}
    else:
        assert arm.point is not None
        own |= {"head": 10.0 * arm.point, "encode": 0.5}
        theirs |= {"edge_tail_decode": 0.5, "edge_tail": 50.0 - 10 * arm.point}
    measured = {stage: ms * slowdown for stage, ms in own.items()}
    return measured | {stage: ms * edge for stage, ms in theirs.items()}


def image_codec(
    name: Any, quality: int | None, size: int, accuracy_retention: float, slowdown: float = 1.0
) -> ImageCodecProfile:
    return ImageCodecProfile(
        image_codec=name,
        quality=quality,
        bytes=size,
        encode_ms=2 * slowdown,
        decode_ms=2 * slowdown,
        accuracy_retention=accuracy_retention,
    )


def link(rate: float = 100.0, rtt: float = 10.0, samples: int = 5, up: bool = True) -> LinkState:
    return LinkState(rate_kb_per_s=rate, rtt_ms=rtt, samples=samples, up=up)


def situation(
    *,
    device: ModelProfile,
    edge: ModelProfile | None,
    link: LinkState | None,
    load: ServerLoad | None = None,
    **more: Any,
) -> Situation:
    """Return the situation of a device with one peer, or with none if there is no link."""
    peers = {} if link is None else {"edge": Server(profile=edge, link=link, load=load)}
    return Situation(device=device, peers=peers, **more)


def choose(*, min_accuracy_retention: float = 0.99, **changes: Any) -> Decision:
    defaults: dict[str, Any] = {
        "device": profile(8.0),
        "edge": profile(),
        "link": link(),
        "image": None,
        "deadline_ms": None,
    }
    policy = OffloadingPolicy(min_accuracy_retention=min_accuracy_retention)
    return policy.choose(situation(**{**defaults, **changes})).decision()


def photograph(
    mime: Any = "image/jpeg", *, pixels: int = 200_000, size: int = 40_000
) -> ImageFacts:
    return ImageFacts(mime=mime, width=pixels // 400, height=400, size_bytes=size)
