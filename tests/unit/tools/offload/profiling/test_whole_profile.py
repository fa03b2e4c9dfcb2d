"""Profiles of experts that look at whole images."""

import time
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.contracts.arms import LinkState
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.perceptions import Box, DetectedObject, Perceptions
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.errors import UnavailableError
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.policy import OffloadingPolicy
from edgewright.tools.offload.profiling.whole_profile import (
    ENCODINGS,
    LONG_SIDE,
    measure_whole,
    reduced,
)


def look(image):
    """An expert that takes 5 ms, and loses sight of a cat in lossy copies below 90."""
    time.sleep(0.005)
    width, height = image.size
    cat = DetectedObject(label="cat", score=0.9, box=Box(x0=0, y0=0, x1=width, y1=height))
    return Perceptions(width=width, height=height, objects=(cat,)).in_output({"text": ""})


@pytest.fixture
def photographs():
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8)) for _ in range(2)]


def measured(photographs, *, slowdown=1.0, expert=look, others=MappingProxyType({})):
    pieces = measure_whole(
        "perception", "r1", {"detector": expert, **others}, photographs,
        engine=EngineInfo(name="onnx"), threads=1, slowdown=slowdown,
    )  # fmt: skip
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


def test_one_block_that_cannot_be_cut(photographs):
    profile = measured(photographs)
    assert [block.name for block in profile.blocks] == ["networks"]
    assert profile.points == []
    assert profile.tail_ms(0) == profile.head_ms(1) >= 5
    assert profile.head_ms(0) == profile.tail_ms(1) == 0
    assert len(profile.image_codecs) == len(ENCODINGS)
    assert {one.accuracy_retention for one in profile.image_codecs} == {1.0}
    assert measured(photographs, slowdown=10).tail_ms(0) > 40


def test_every_expert_that_can_run_has_a_time_of_its_own(photographs):
    def slow(image):
        time.sleep(0.015)
        return {"text": "two lines"}

    def missing(image):
        raise UnavailableError("the network is not installed")

    profile = measured(photographs, others={"reader": slow, "posing": missing})
    assert profile.experts_ms.keys() == {"detector", "reader"}
    assert profile.experts_ms["detector"] == profile.tail_ms(0)
    assert profile.share_of("reader") > 1.5
    assert profile.share_of("posing") == 1


def test_what_an_encoding_hides_is_not_retained(photographs):
    originals = {photograph.tobytes() for photograph in photographs}

    def sees_originals_only(image):
        found = look(image)
        if image.tobytes() not in originals:
            nothing = Perceptions(width=image.width, height=image.height, objects=())
            return nothing.in_output(found)
        return found

    profile = measured(photographs, expert=sees_originals_only)
    retention = {(one.image_codec, one.quality): one for one in profile.image_codecs}
    assert retention["png", None].accuracy_retention == 1
    assert retention["jpeg", 80].accuracy_retention == 0


def test_the_policy_sends_images_to_a_faster_server(photographs):
    device, edge = measured(photographs, slowdown=50), measured(photographs)
    link = LinkState(rate_kb_per_s=10_000, rtt_ms=1, samples=1, up=True)
    facts = ImageFacts(mime="image/png", width=80, height=60, size_bytes=14_000)
    situation = Situation(
        device=device, peers={"edge": Server(profile=edge, link=link)}, image=facts
    )
    policy = OffloadingPolicy(min_accuracy_retention=0.9)
    assert policy.choose(situation).decision().arm.kind == "edge-only"
    assert (
        policy.choose(
            Situation(device=edge, peers={"edge": Server(profile=device, link=link)}, image=facts)
        )
        .decision()
        .arm.kind
        == "device-only"
    )


def test_images_are_sent_no_larger_than_experts_look_at():
    assert reduced(Image.new("RGB", (80, 60))).size == (80, 60)
    assert reduced(Image.new("RGB", (2 * LONG_SIDE, 100))).size == (LONG_SIDE, 50)
