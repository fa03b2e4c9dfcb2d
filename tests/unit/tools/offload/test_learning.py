"""The policy learns from measured costs, and noise does not make it flap."""

import itertools
import random

import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.choice import MARGIN, Situation
from edgewright.tools.offload.policy import OffloadingPolicy
from offloading import choose, link, photograph, profile, situation, stages


def test_a_slower_device_is_learned_from_three_requests() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    current = situation(device=profile(2.0), edge=profile(), link=link(rate=200))
    assert policy.choose(current).arm.kind == "device-only"
    for _ in range(3):
        arm = policy.choose(current).arm
        policy.observe(current, arm, stages(arm, 4 * 2.0))
    assert policy.choose(current).arm.kind == "co-inference"


def test_a_slower_edge_server_is_learned_too() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    current = situation(device=profile(8.0), edge=profile(), link=link(rate=10_000))
    png = policy.choose(current).arm
    assert png.image_codec == "png"
    for _ in range(3):
        policy.observe(current, png, stages(png, 8.0, edge=20))
    later = policy.choose(current).decision()
    assert later.arm != png
    by_arm = {one.arm: one for one in later.forecasts}
    assert by_arm[png].latency_ms == pytest.approx(56 + 18.1 + 53 * 20, rel=0.25)


def test_the_bytes_that_are_sent_are_learned() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.95)
    defaults = {"edge": profile(), "link": link(rate=100)}
    current = situation(device=profile(16.0), **defaults)
    (webp,) = [arm for arm in _arms(policy, current) if arm.image_codec == "webp"]
    for _ in range(10):
        policy.observe(current, webp, stages(webp, 16.0), bytes_up=15_000)
    for later in (current, situation(device=profile(16.0), **defaults)):
        sizes = {one.arm: one.bytes_up for one in policy.choose(later).decision().forecasts}
        assert sizes[webp] == pytest.approx(15_000, rel=0.05)
        # Detailed images are larger in every encoding, which explains half of the deviation.
        assert (
            12_000
            < sizes[Arm(kind="edge-only", peer="edge", image_codec="jpeg", quality=90)]
            < 18_000
        )
    other = situation(device=profile(16.0), **defaults, image=photograph("image/png"))
    sizes = {one.arm: one.bytes_up for one in policy.choose(other).decision().forecasts}
    assert sizes[webp] == 9_000


def _arms(policy: OffloadingPolicy, one: Situation) -> list[Arm]:
    return [each.arm for each in policy.choose(one).arms]


def test_impossible_times_and_excluded_arms_are_ignored() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    current = situation(device=profile(2.0), edge=profile(), link=link())
    before = policy.choose(current).decision()
    original = Arm(kind="edge-only")
    policy.observe(current, original, stages(original, 100.0, edge=20))
    policy.observe(current, Arm(kind="device-only"), {"decode": 0.0, "whole": 0.0})
    assert policy.choose(current).decision() == before


def test_noise_does_not_cause_flapping() -> None:
    """Two arms are equally good, and the link estimate varies by a few per cent."""
    crossing = next(
        rate
        for rate in (50 * 1.002**n for n in itertools.count())
        if choose(link=link(rate=rate)).arm != choose(link=link(rate=1.002 * rate)).arm
    )
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    device, edge, generator = profile(8.0), profile(), random.Random(1)
    arms = []
    for _ in range(200):
        noisy_link = link(rate=crossing * generator.uniform(0.98, 1.02))
        current = situation(device=device, edge=edge, link=noisy_link)
        choice = policy.choose(current)
        assert choice.cost[choice.chosen] <= choice.cost.min() / (1 - MARGIN)
        policy.observe(current, choice.arm, {})
        arms.append(choice.arm)
    changes = sum(early != late for early, late in itertools.pairwise(arms))
    assert changes <= 2
    assert any("retained, as no arm" in one for one in _reasons(policy, device, edge, crossing))


def _reasons(
    policy: OffloadingPolicy, device: ModelProfile, edge: ModelProfile, crossing: float
) -> list[str]:
    rates = (0.99 * crossing, 1.01 * crossing)
    situations = [situation(device=device, edge=edge, link=link(rate=rate)) for rate in rates]
    return [policy.choose(one).decision().reason for one in situations]


def test_the_previous_arm_is_remembered_after_a_new_profile() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    last = situation(device=profile(8.0), edge=profile(), link=link())
    arm = policy.choose(last).arm
    policy.observe(last, arm, {})
    again = situation(device=profile(8.0), edge=profile(), link=link())
    assert policy.choose(again).arm == arm


@pytest.mark.parametrize("deadline_ms", [None, 10_000.0])
def test_the_previous_arm_is_not_retained_when_the_link_is_down(deadline_ms: float | None) -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    both = {"device": profile(8.0), "edge": profile(), "deadline_ms": deadline_ms}
    before = situation(**both, link=link(rate=10_000))
    policy.observe(before, policy.choose(before).arm, {})
    after = policy.choose(situation(**both, link=link(up=False)))
    assert after.arm.kind == "device-only"
    assert "could not be reached" in after.decision().reason
