"""A quantised model is one more arm, chosen if it keeps enough accuracy."""

import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import (
    ModelProfile,
    PrecisionProfile,
)
from offloading import choose, profile


def quantised(slowdown: float, share: float, fingerprint: str = "q") -> ModelProfile:
    """Return ``profile`` with a variant that takes half the time in every block."""
    steps = range(6)
    variant = PrecisionProfile(
        precision="int8",
        fingerprint=fingerprint,
        heads_ms=[5 * slowdown * point for point in steps],
        tails_ms=[5 * slowdown * (5 - point) for point in steps],
        accuracy_retention={"whole": share, "2 quantised8 ": share},
    )
    return profile(slowdown, precisions=[variant])


def test_a_quantised_model_is_chosen_if_it_keeps_enough_accuracy() -> None:
    alone = {"edge": None, "link": None}
    decision = choose(device=quantised(1.0, 0.995), **alone)
    assert decision.arm == Arm(kind="device-only", precision="int8")
    assert decision.reason.startswith("the device alone at int8, sending nothing: 31 ms expected")
    assert [one.latency_ms for one in decision.forecasts[:2]] == pytest.approx([31, 56])
    kept = choose(device=quantised(1.0, 0.98), **alone)
    assert kept.arm == Arm(kind="device-only")
    (excluded,) = (one for one in kept.forecasts if one.arm == decision.arm)
    assert excluded.unusable == "its accuracy retention is 98.0%, below the minimum of 99.0%"


def test_a_quantised_model_below_the_floor_is_excluded_with_the_reason() -> None:
    decision = choose(device=quantised(1.0, 0.98), edge=quantised(1.0, 0.98))
    reasons = {one.unusable for one in decision.forecasts if one.arm.precision == "int8"}
    assert "its accuracy retention is 98.0%, below the minimum of 99.0%" in reasons
    assert None not in {one.latency_ms for one in decision.forecasts if not one.unusable}


def test_two_nodes_share_a_task_at_a_precision_that_both_have() -> None:
    current = {"device": quantised(16.0, 0.995), "min_accuracy_retention": 0.99}
    both = choose(edge=quantised(1.0, 0.995), **current)
    assert both.arm == Arm(
        kind="co-inference", peer="edge", point=2, codec="quantised8", precision="int8"
    )
    other = choose(edge=quantised(1.0, 0.995, fingerprint="other"), **current)
    assert other.arm.precision == "fp32" or other.arm.kind == "device-only"
    lacking = {one.unusable for one in other.forecasts if one.arm == both.arm}
    assert lacking == {"the edge server does not have this precision"}
