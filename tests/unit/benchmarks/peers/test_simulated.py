"""What the simulation is told of the rig."""

import pytest

from edgewright.benchmarks.peers.simulated import factors
from edgewright.tools.contracts.profiles import BlockProfile, DecodingProfile, ModelProfile


def test_factors_compare_stages_with_the_profile_of_each_node():
    profile = ModelProfile(
        model="m", revision="r", preprocess_ms=1, preprocess_pixels=1, normalise_ms=0,
        postprocess_ms=0, blocks=[BlockProfile(name="a", ms=10)], points=[], image_codecs=[],
        decoding=[DecodingProfile(
            mime="image/jpeg", ms_per_megapixel=0, ms_per_megabyte=1e6, pixels=1, bytes=1,
        )],
    )  # fmt: skip
    # The device is slowed 20 times, the edge server 6 and the cloud 3 times.
    real = [
        (200.0, "edge", {"decode": 30.0, "preprocess": 30.0, "edge_whole": 60.0}),
        (200.0, "cloud", {"decode": 30.0, "preprocess": 30.0, "edge_whole": 60.0}),
        (300.0, "device", {"decode": 1.0, "whole": 1.0}),
    ]
    assert factors(profile, real) == pytest.approx(
        {"device": 1.5, "edge": 1.0, "cloud": 2.0, "servers": 1.5}
    )
    assert factors(profile, []) == {"device": 1.0, "servers": 1.0}
