"""The stages of simulated tasks, as the policy reads them from cost reports."""

import pytest

from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.arms import profiled_arms
from edgewright.tools.offload.choice import Situation
from edgewright.tools.offload.corrections import Corrections, reported_stages


@pytest.fixture
def profile() -> ModelProfile:
    """Return a model whose stages all take some time."""
    return ModelProfile(
        model="m", revision="r",
        decoding=[DecodingProfile(
            mime="image/jpeg", ms_per_megapixel=10, ms_per_megabyte=10, pixels=300_000,
            bytes=50_000,
        )],
        preprocess_ms=4, preprocess_pixels=300_000, normalise_ms=2, postprocess_ms=1,
        blocks=[BlockProfile(name="a", ms=20), BlockProfile(name="b", ms=60)],
        points=[PointProfile(
            point=1, name="a", frame_bytes=5_000, encode_ms=3, decode_ms=3, accuracy_retention=1,
        )],
        image_codecs=[ImageCodecProfile(
            image_codec="png", quality=None, bytes=90_000, encode_ms=5, decode_ms=5,
            accuracy_retention=1,
        )],
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["device-only", "edge-only", "co-inference"])
def test_the_policy_learns_the_factors_from_them(profile, kind):
    situation = Situation(device=profile)
    arms = profiled_arms(profile, {"edge": profile})
    one = next(each for each in arms if each.arm.kind == kind)
    corrections = Corrections()
    for _ in range(200):
        stages_ms = reported_stages(situation, one, 3.0, 0.5)
        corrections.observe(situation, one, stages_ms, bytes_up=one.bytes_up)
    assert corrections.device_ms(situation, one) == pytest.approx(3 * one.device_ms, rel=0.05)
    expected_ms = 3 * (situation.decode_ms + situation.resize_ms)
    assert corrections.input_ms(situation) == pytest.approx(expected_ms, rel=0.05)
    assert corrections.edge_ms(situation, one) == pytest.approx(0.5 * one.edge_ms, rel=0.05)
