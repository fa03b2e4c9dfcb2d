import time
from dataclasses import dataclass
from typing import Any

import pytest

from edgewright.tools.nodes.schema import (
    BlockProfile,
    Decision,
    ImageCodecProfile,
    LinkState,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.policy import decide

FRAME_BYTES = (60_000, 20_000, 8_000, 4_000)


def profile(slowdown: float = 1.0, **changes: Any) -> ModelProfile:
    """Five blocks of 10 ms; frames shrink from point to point."""
    known: dict[str, Any] = {
        "model": "m",
        "revision": "r",
        "preprocess_ms": 5 * slowdown,
        "preprocess_pixels": 200_000,
        "blocks": [BlockProfile(name=f"block{n}", ms=10 * slowdown) for n in range(1, 6)],
        "finish_ms": 1 * slowdown,
        "points": [
            PointProfile(
                point=point,
                name=f"block{point}",
                frame_bytes=size,
                encode_ms=0.5 * slowdown,
                decode_ms=0.5 * slowdown,
                agreement=1.0,
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
    return ModelProfile(**{**known, **changes})


def image_codec(
    name: Any, quality: int | None, size: int, agreement: float, slowdown: float = 1.0
) -> ImageCodecProfile:
    return ImageCodecProfile(
        image_codec=name,
        quality=quality,
        bytes=size,
        encode_ms=2 * slowdown,
        decode_ms=2 * slowdown,
        agreement=agreement,
    )


def link(rate: float = 100.0, rtt: float = 10.0, samples: int = 5, up: bool = True) -> LinkState:
    return LinkState(rate_kb_per_s=rate, rtt_ms=rtt, samples=samples, up=up)


def choose(**changes: Any) -> Decision:
    known: dict[str, Any] = {
        "device": profile(8.0),
        "edge": profile(),
        "link": link(),
        "image": None,
        "deadline_ms": None,
        "min_agreement": 0.99,
    }
    return decide(**{**known, **changes})


@dataclass
class Size:
    width: int
    height: int


def test_a_fast_device_keeps_the_work() -> None:
    assert choose(device=profile(1.0)).arm.kind == "device-only"


def test_a_slow_device_on_a_slow_link_cuts_the_model() -> None:
    decision = choose(device=profile(16.0))
    assert (decision.arm.kind, decision.arm.point, decision.arm.codec) == (
        "co-inference",
        2,
        "quantised8",
    )


def test_a_slow_device_on_a_fast_link_sends_the_picture() -> None:
    decision = choose(device=profile(8.0), link=link(rate=10_000))
    assert (decision.arm.kind, decision.arm.image_codec) == ("edge-only", "png")


def test_forecasts_add_up() -> None:
    by_arm = {one.arm.label: one for one in choose(device=profile(2.0)).forecasts}
    assert by_arm["device-only"].latency_ms == pytest.approx(10 + 100 + 2)
    cut = by_arm["co-inference (point 3, quantised8)"]
    link_ms = 10 + (8000 + 1000) / 100
    assert cut.latency_ms == pytest.approx(10 + 60 + 1 + link_ms + 0.5 + 20 + 1)
    assert cut.bytes_up == 8000
    png = by_arm["edge-only (png)"]
    assert png.latency_ms == pytest.approx(10 + 4 + 10 + 81_000 / 100 + 2 + 50 + 1)


def test_every_arm_is_weighed_and_the_best_stands_first() -> None:
    decision = choose()
    assert len(decision.forecasts) == 1 + 3 + 4
    assert decision.forecasts[0].arm == decision.arm
    usable = [one.latency_ms for one in decision.forecasts if one.latency_ms is not None]
    assert usable == sorted(usable)
    assert [one.latency_ms for one in decision.forecasts[len(usable) :]] == [None, None]


def test_arms_below_the_accuracy_budget_are_left_out_with_the_reason() -> None:
    strict = {one.arm.label: one for one in choose().forecasts}
    assert "keeps 96.0% of the accuracy" in strict["edge-only (jpeg q90)"].unusable
    lenient = choose(min_agreement=0.9, device=profile(16.0), link=link(rate=400))
    assert lenient.arm.label == "edge-only (webp q90)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"link": None, "edge": None}, "no edge server is configured"),
        ({"link": link(up=False)}, "could not be reached"),
        ({"edge": None}, "has not measured this model yet"),
        ({"edge": profile(revision="s")}, "other weights"),
    ],
)
def test_without_an_edge_server_the_device_works_alone(changes: Any, words: str) -> None:
    decision = choose(**changes)
    assert decision.arm.kind == "device-only"
    assert words in decision.reason
    assert all(words in one.unusable for one in decision.forecasts[1:])


def test_an_unused_link_is_tried() -> None:
    decision = choose(device=profile(1.0), link=link(samples=0))
    assert decision.arm.kind != "device-only"
    assert "nothing was sent over it yet" in decision.reason
    assert decision.forecasts[0].arm.kind == "device-only"


def test_an_unused_link_is_not_tried_past_the_deadline() -> None:
    decision = choose(device=profile(1.0), link=link(samples=0), deadline_ms=60)
    assert decision.arm.kind == "device-only"


def test_a_deadline_that_nothing_meets_is_said() -> None:
    decision = choose(deadline_ms=20)
    assert "no arm is expected to meet the deadline of 20 ms" in decision.reason
    assert decision.deadline_ms == 20
    assert "deadline" not in choose(deadline_ms=10_000).reason


def test_larger_pictures_take_longer() -> None:
    small = choose(image=Size(400, 500)).forecasts[0].latency_ms
    large = choose(image=Size(4000, 3000)).forecasts[0].latency_ms
    assert small is not None and large is not None
    assert large - small == pytest.approx(40 * (60 - 1))


def test_the_reason_names_the_choice_and_the_other_kinds() -> None:
    assert choose(device=profile(16.0)).reason == (
        "co-inference after block2 sends 20 KB: 660 ms expected, against 896 ms on the device and "
        "985 ms sending 80 KB of PNG"
    )
    sent = choose(device=profile(8.0), link=link(rate=10_000)).reason
    assert sent.startswith("the edge server alone gets 80 KB of PNG: 127 ms expected, against")
    assert "cut after block1 (60 KB)" in sent
    inaccurate = choose(min_agreement=1.1)
    assert "no other arm keeps enough accuracy" in inaccurate.reason


def test_an_edge_server_that_measured_other_codings_still_gets_work() -> None:
    decision = choose(edge=profile(points=[], image_codecs=[]), device=profile(16.0))
    assert decision.arm.kind == "co-inference"


def test_a_decision_takes_well_under_a_millisecond() -> None:
    device, edge = profile(8.0), profile()
    started = time.perf_counter()
    for _ in range(100):
        choose(device=device, edge=edge)
    assert (time.perf_counter() - started) / 100 < 1e-3
