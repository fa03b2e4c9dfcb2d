"""What is learned changes the forecasts that it should, and no others."""

from typing import Any

import pytest

from edgewright.tools.contracts.arms import Arm, LinkState
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.backlog import Ahead, Backlog, TaskCosts
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.factors import Ratio, StageFactors
from edgewright.tools.offload.policy import OffloadingPolicy

ALONE = Arm(kind="device-only")
CUT = Arm(kind="co-inference", peer="edge", point=1, codec="quantised8")
SENT = Arm(kind="edge-only", peer="edge", image_codec="jpeg", quality=95)
JPEG = ImageFacts(mime="image/jpeg", width=640, height=480, size_bytes=60_000)
PNG = ImageFacts(mime="image/png", width=640, height=480, size_bytes=450_000)


def profile(slowdown: float) -> ModelProfile:
    """Return a profile in which every number is the time of one stage."""
    return ModelProfile(
        model="m",
        revision="r",
        decoding=[
            _decoding("image/jpeg", 3.0 * slowdown, JPEG.size_bytes),
            _decoding("image/png", 6.0 * slowdown, PNG.size_bytes),
        ],
        preprocess_ms=2.0 * slowdown,
        preprocess_pixels=640 * 480,
        blocks=[BlockProfile(name="a", ms=10 * slowdown), BlockProfile(name="b", ms=20 * slowdown)],
        postprocess_ms=0.0,
        points=[
            PointProfile(
                point=1, name="a", frame_bytes=4000, encode_ms=1.0 * slowdown,
                decode_ms=1.0 * slowdown, accuracy_retention=1.0,
            )
        ],
        image_codecs=[
            ImageCodecProfile(
                image_codec="jpeg", quality=95, bytes=30_000, encode_ms=1.0 * slowdown,
                decode_ms=1.0 * slowdown, accuracy_retention=1.0,
            )
        ],
    )  # fmt: skip


def _decoding(mime: Any, ms: float, size: int) -> DecodingProfile:
    pixels = 640 * 480
    return DecodingProfile(
        mime=mime, ms_per_megapixel=ms / pixels * 1e6, ms_per_megabyte=0, pixels=pixels, bytes=size
    )


def stages(arm: Arm, slowdown: float, **other: float) -> dict[str, float]:
    """Return the measured stages of an arm, by ``profile``; ``other`` replaces some of them."""
    own = {"decode": 3.0, "preprocess": 2.0}
    if arm is ALONE:
        own |= {"whole": 30.0}
        theirs = {}
    elif arm is CUT:
        own |= {"head": 10.0, "encode": 1.0}
        theirs = {"edge_tail_decode": 1.0, "edge_tail": 20.0}
    else:
        own |= {"encode": 1.0}
        theirs = {"edge_decode": 1.0, "edge_whole": 30.0}
    return {stage: ms * slowdown for stage, ms in own.items()} | theirs | other


SLOW = profile(10.0)
EDGE = profile(1.0)


def situation(image: ImageFacts = JPEG, **more: Any) -> Situation:
    link = LinkState(rate_kb_per_s=100, rtt_ms=10, samples=9, up=True)
    peers = {"edge": Server(profile=EDGE, link=link)}
    return Situation(device=SLOW, peers=peers, image=image, **more)


def forecasts(policy: OffloadingPolicy, one: Situation) -> dict[Arm, float]:
    choice = policy.choose(one)
    return dict(zip([each.arm for each in choice.arms], map(float, choice.latency_ms), strict=True))


@pytest.fixture
def policy() -> OffloadingPolicy:
    return OffloadingPolicy(min_accuracy_retention=0.99)


def test_images_that_are_slow_to_decode_say_nothing_about_other_images(
    policy: OffloadingPolicy,
) -> None:
    before = forecasts(policy, situation())
    for _ in range(4):
        policy.observe(situation(PNG), CUT, stages(CUT, 10.0, decode=600.0), bytes_up=4000)
    after = forecasts(policy, situation())
    assert after == pytest.approx(before, rel=0.05)
    assert forecasts(policy, situation(PNG))[ALONE] == pytest.approx(600 + 320, rel=0.05)


def test_a_slow_encoder_says_nothing_about_arms_without_it(policy: OffloadingPolicy) -> None:
    before = forecasts(policy, situation())
    for _ in range(4):
        policy.observe(situation(), CUT, stages(CUT, 10.0, encode=60.0), bytes_up=4000)
    after = forecasts(policy, situation())
    assert after[CUT] - before[CUT] == pytest.approx(50, rel=0.15)
    assert (after[ALONE], after[SENT]) == pytest.approx((before[ALONE], before[SENT]), rel=0.03)


def test_a_slow_codec_at_the_edge_server_says_nothing_about_its_blocks(
    policy: OffloadingPolicy,
) -> None:
    before = forecasts(policy, situation())
    for _ in range(4):
        measured = stages(CUT, 10.0, edge_tail_decode=30.0)
        policy.observe(situation(), CUT, measured, bytes_up=4000)
    after = forecasts(policy, situation())
    assert after[CUT] - before[CUT] == pytest.approx(29, rel=0.15)
    assert after[SENT] == pytest.approx(before[SENT], rel=0.03)


def test_a_device_that_is_slower_in_all_stages_is_slower_in_all_arms(
    policy: OffloadingPolicy,
) -> None:
    for _ in range(2):
        policy.observe(situation(), CUT, stages(CUT, 15.0), bytes_up=4000)
    assert forecasts(policy, situation())[ALONE] == pytest.approx(15 * 35, rel=0.05)
    assert forecasts(policy, situation(PNG))[ALONE] == pytest.approx(15 * 38, rel=0.05)


def test_the_choice_after_images_of_another_type_is_as_before(policy: OffloadingPolicy) -> None:
    fast = LinkState(rate_kb_per_s=400, rtt_ms=10, samples=9, up=True)
    one = Situation(device=SLOW, peers={"edge": Server(profile=EDGE, link=fast)}, image=JPEG)
    best = policy.choose(one).arm
    for _ in range(4):
        policy.observe(situation(PNG), ALONE, stages(ALONE, 10.0, decode=1200.0))
    assert policy.choose(one).arm == best


def test_factors_follow_a_jump_of_all_stages_and_of_one() -> None:
    factors = StageFactors(error=0.2, own_error=0.15)
    steady = {name: Ratio(10.0, 10.0) for name in ("a", "b", "c")}
    for _ in range(10):
        factors.update(steady)
    factors.update({name: Ratio(20.0, 10.0) for name in ("a", "b", "c")})
    assert [factors.of(name) for name in ("a", "b", "c", "new")] == pytest.approx(
        [2.0] * 4, rel=0.06
    )
    for _ in range(2):
        factors.update({**{name: Ratio(20.0, 10.0) for name in ("a", "b")}, "c": Ratio(80.0, 10.0)})
    found = [factors.of(name) for name in ("a", "b", "c")]
    assert found == pytest.approx([2.0, 2.0, 8.0], rel=0.06)
    factors.update({})
    assert [factors.of(name) for name in ("a", "b", "c")] == found


# -- tasks that run at once ----------------------------------------------------------------------


def test_a_task_waits_for_the_device_the_link_and_the_edge_server(policy: OffloadingPolicy) -> None:
    free = forecasts(policy, situation())
    waits = forecasts(policy, situation(ahead=Ahead(100.0, {"edge": 900.0})))
    assert waits[ALONE] == pytest.approx(free[ALONE] + 100)
    # Its bytes leave when the earlier ones have, which is later than when it is computed.
    link_ms = (4000 + 1000) / 100
    assert waits[CUT] == pytest.approx(900 + link_ms + 10 + 1 + 20)
    behind = forecasts(policy, situation(ahead=Ahead(0.0, {}, {"edge": 5000.0})))
    assert (behind[ALONE], behind[CUT]) == pytest.approx((free[ALONE], 5000 + 21))


def test_tasks_that_send_at_once_share_the_link(policy: OffloadingPolicy) -> None:
    """Three equal tasks: what really happens, by a simulation of device, link and edge server."""
    backlog = Backlog(clock=lambda: 0.0)
    costs = policy.costs(situation(), SENT)
    assert costs is not None
    expected = []
    for earlier in range(3):
        ahead = backlog.ahead("m", [costs] * earlier)
        expected.append(forecasts(policy, situation(ahead=ahead))[SENT])
    device_ms, link_ms, edge_ms = 60.0, 31_000 / 100, 31.0
    computed = [device_ms * (task + 1) for task in range(3)]
    sent = [computed[0] + link_ms]
    for task in range(1, 3):
        sent.append(max(sent[-1], computed[task]) + link_ms)
    assert expected == pytest.approx([at + 10 + edge_ms for at in sent])


def occupied(backlog: Backlog, model: str) -> tuple[float, float, float]:
    """Return how long earlier tasks occupy device, link and edge server."""
    device_ms, link_ms, edge_ms = backlog.ahead(model)
    return device_ms, link_ms.get("edge", 0.0), edge_ms.get("edge", 0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_running_tasks_occupy_what_remains_of_their_stages() -> None:
    clock = Clock()
    backlog = Backlog(clock=clock)
    costs = TaskCosts("m", 100.0, 300.0, 50.0, "edge")
    with backlog.running(costs) as first, backlog.running(costs):
        assert occupied(backlog, "m") == pytest.approx((200.0, 700.0, 750.0))
        assert occupied(backlog, "other") == pytest.approx((0.0, 700.0, 0.0))
        clock.now = 0.04  # the second one waits, so only the first one has advanced
        assert occupied(backlog, "m") == pytest.approx((160.0, 660.0, 710.0))
        clock.now = 0.10
        backlog.computed(first)
        assert occupied(backlog, "m") == pytest.approx((100.0, 600.0, 650.0))
        clock.now = 0.15
        assert occupied(backlog, "m") == pytest.approx((50.0, 550.0, 600.0))
    assert occupied(backlog, "m") == (0.0, 0.0, 0.0)


def test_a_task_that_is_late_occupies_nothing_more() -> None:
    clock = Clock()
    backlog = Backlog(clock=clock)
    with backlog.running(TaskCosts("m", 100.0)):
        clock.now = 9.0
        assert occupied(backlog, "m") == (0.0, 0.0, 0.0)


# -- experts that run networks of their own choice ------------------------------------------------

#: In units of the blocks' 30 ms: the detector runs all of them, the reader others.
EXPERTS_MS = {"detector": 30.0, "reader": 120.0}


def looking(expert: str) -> Situation:
    """Return the situation of an expert that looks at whole images."""

    def at(slowdown: float) -> ModelProfile:
        experts_ms = {name: ms * slowdown for name, ms in EXPERTS_MS.items()}
        return profile(slowdown).model_copy(update={"experts_ms": experts_ms, "points": []})

    link = LinkState(rate_kb_per_s=100, rtt_ms=10, samples=9, up=True)
    return Situation(
        device=at(10.0), peers={"edge": Server(profile=at(1.0), link=link)}, image=JPEG,
        expert=expert,
    )  # fmt: skip


def test_each_expert_has_a_forecast_of_its_own_from_the_start() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.9)
    detector, reader = (forecasts(policy, looking(name)) for name in EXPERTS_MS)
    assert reader[ALONE] - detector[ALONE] == pytest.approx(10 * 90)
    assert reader[SENT] - detector[SENT] == pytest.approx(90)


def test_all_networks_of_an_expert_are_its_blocks() -> None:
    """What it does after its networks takes no time, which says nothing of them."""
    policy = OffloadingPolicy(min_accuracy_retention=0.9)
    before = forecasts(policy, looking("detector"))
    own = {"decode": 30.0, "candidates": 200.0, "objects": 99.0, "postprocess": 1.0}
    for _ in range(5):
        policy.observe(looking("detector"), ALONE, own)
    for arm, ms in forecasts(policy, looking("detector")).items():
        assert ms == pytest.approx(before[arm], rel=0.02)


def test_a_slow_expert_does_not_make_another_one_slow() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.9)
    before = forecasts(policy, looking("detector"))
    for _ in range(4):
        policy.observe(looking("reader"), ALONE, {"decode": 30.0, "texts": 3600.0})
        policy.observe(looking("detector"), ALONE, {"decode": 30.0, "objects": 300.0})
    reader = forecasts(policy, looking("reader"))
    assert reader[ALONE] == pytest.approx(3600 + 30 + 20, rel=0.1)
    assert forecasts(policy, looking("detector"))[ALONE] == pytest.approx(before[ALONE], rel=0.15)


def test_networks_of_the_peer_are_learned_and_what_it_passes_on_is_not() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.9)
    own = {"decode": 30.0, "preprocess": 20.0, "encode": 10.0, "upload": 300.0}
    theirs = {"edge_decode": 1.0, "edge_texts": 240.0, "edge_other": 70.0, "edge_upload": 50.0}
    before = forecasts(policy, looking("reader"))
    for _ in range(4):
        policy.observe(looking("reader"), SENT, own | theirs)
    after = forecasts(policy, looking("reader"))
    assert after[SENT] - before[SENT] == pytest.approx(120, rel=0.1)
    assert after[ALONE] == pytest.approx(before[ALONE], rel=0.02)
