"""Several peers: arms of each, their prices and privacy, hysteresis between them."""

from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.tools.contracts.arms import Arm, LinkState, ServerLoad
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.backlog import Ahead, Backlog, TaskCosts
from edgewright.tools.offload.choice import MARGIN, PEER_MARGIN, Server, Situation
from edgewright.tools.offload.objective import Objective
from edgewright.tools.offload.policy import OffloadingPolicy


def profile(slowdown: float) -> ModelProfile:
    """Return a profile of a model with two blocks of 50 ms, cut between them."""
    return ModelProfile(
        model="m",
        revision="r",
        decoding=[
            DecodingProfile(
                mime="image/jpeg", ms_per_megapixel=10, ms_per_megabyte=0, pixels=10**5, bytes=10**4
            )
        ],
        preprocess_ms=1,
        preprocess_pixels=10**5,
        blocks=[BlockProfile(name=name, ms=50 * slowdown) for name in "ab"],
        postprocess_ms=0,
        points=[
            PointProfile(
                point=1, name="a", frame_bytes=2000, encode_ms=1, decode_ms=1, accuracy_retention=1
            )
        ],
        image_codecs=[
            ImageCodecProfile(
                image_codec="webp", quality=90, bytes=9000, encode_ms=1, decode_ms=1,
                accuracy_retention=1,
            )
        ],
    )  # fmt: skip


DEVICE, FAST, FASTER = profile(10.0), profile(1.0), profile(0.1)


def server(rate: float = 1000.0, rtt: float = 5.0, *, up: bool = True, **more: Any) -> Server:
    link = LinkState(rate_kb_per_s=rate, rtt_ms=rtt, samples=9, up=up)
    return Server(**{"profile": FAST, "link": link, **more})


def choose(peers: Mapping[str, Server], **more: Any) -> tuple[Arm, str]:
    policy = OffloadingPolicy(min_accuracy_retention=0.99, **more)
    decision = policy.choose(Situation(device=DEVICE, peers=peers)).decision()
    return decision.arm, decision.reason


def test_arms_multiply_over_peers_and_are_named() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    peers = {"edge": server(), "cloud": server(rtt=80, profile=FASTER)}
    decision = policy.choose(Situation(device=DEVICE, peers=peers)).decision()
    labels = {one.arm.label for one in decision.forecasts}
    assert labels == {
        "device-only",
        "edge-only (webp q90)",
        "co-inference (point 1, quantised8)",
        "cloud-only (webp q90)",
        "co-inference with cloud (point 1, quantised8)",
    }
    assert decision.arm.label == "cloud-only (webp q90)"
    assert decision.reason == (
        "the cloud alone, receiving 9.0 KB of WebP: 104 ms expected, compared with 119 ms sending "
        "9.0 KB of WebP to the edge server and 562 ms cut after block 1 (2.0 KB to the edge "
        "server) and 1002 ms on the device"
    )


def test_the_round_trip_decides_between_equal_servers() -> None:
    arm, reason = choose({"far": server(rtt=80), "near": server(rtt=5)})
    assert arm.peer == "near"
    assert "sending 9.0 KB of WebP to far" in reason


def test_an_unhealthy_peer_is_left_and_named() -> None:
    arm, reason = choose({"near": server(up=False), "far": server(rtt=80)})
    assert arm.peer == "far"
    assert "near could not be reached recently" in reason
    alone, reason = choose({"near": server(up=False), "cloud": server(up=False)})
    assert alone.kind == "device-only"
    assert "near could not" in reason
    assert "the cloud could not" in reason


def test_a_full_peer_is_left_and_a_busy_one_costs_its_wait() -> None:
    busy = ServerLoad(arrivals_per_s=9, service_ms=100)
    arm, reason = choose({"near": server(load=busy), "far": server(rtt=80)})
    assert arm.peer == "far"
    assert "the expected wait at near is" in reason
    full = busy.model_copy(update={"arrivals_per_s": 10.0})
    assert "100% of near's capacity" in choose({"near": server(load=full), "far": server()})[1]


def test_a_peer_that_may_not_see_images_gets_features() -> None:
    near, far = server(receives="features"), server(rtt=5000)
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    decision = policy.choose(Situation(device=DEVICE, peers={"near": near, "far": far})).decision()
    assert (decision.arm.kind, decision.arm.peer) == ("co-inference", "near")
    reasons = {one.arm.label: one.unusable for one in decision.forecasts if one.unusable}
    assert reasons == {"near-only (webp q90)": "near may not receive images"}


def test_a_price_is_weighed() -> None:
    peers = {"edge": server(), "cloud": server(profile=FASTER, price_per_hour=3.6)}
    assert choose(peers)[0].peer == "cloud"
    # Ten milliseconds of the cloud cost 0.00001, as much as 100 ms here.
    assert choose(peers, objective=Objective(price=10_000))[0].peer == "edge"
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    forecasts = policy.choose(Situation(device=DEVICE, peers=peers)).decision().forecasts
    prices = {one.arm.label: one.price for one in forecasts}
    assert prices["edge-only (webp q90)"] == 0
    assert prices["cloud-only (webp q90)"] == pytest.approx(3.6 * 11 / 3_600_000)


def test_a_server_passes_on_whole_tasks_only() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99, role="edge")
    decision = policy.choose(Situation(device=DEVICE, peers={"cloud": server(rtt=80)})).decision()
    assert {one.arm.kind for one in decision.forecasts} == {"device-only", "edge-only"}
    assert decision.arm.peer == "cloud"
    assert "on this server" in decision.reason


def test_a_peer_is_kept_until_another_is_clearly_better() -> None:
    assert PEER_MARGIN > MARGIN
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    before = Situation(device=DEVICE, peers={"a": server(rtt=5), "b": server(rtt=6)})
    arm = policy.choose(before).arm
    assert arm.peer == "a"
    policy.observe(before, arm, {})
    # About 120 ms in all, so that a millisecond is less than one per cent.
    nearly = Situation(device=DEVICE, peers={"a": server(rtt=9), "b": server(rtt=5)})
    choice = policy.choose(nearly)
    assert (choice.arm.peer, choice.retained) == ("a", True)
    clearly = Situation(device=DEVICE, peers={"a": server(rtt=20), "b": server(rtt=5)})
    assert policy.choose(clearly).arm.peer == "b"
    gone = Situation(device=DEVICE, peers={"b": server(rtt=9)})
    assert policy.choose(gone).arm.peer == "b"


def test_a_slow_server_says_nothing_about_another() -> None:
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    situation = Situation(device=DEVICE, peers={"a": server(rtt=5), "b": server(rtt=20)})
    for _ in range(3):
        arm = Arm(kind="edge-only", peer="a", image_codec="webp", quality=90)
        policy.observe(situation, arm, {"edge_decode": 1.0, "edge_whole": 400.0}, bytes_up=9000)
    choice = policy.choose(situation)
    assert choice.arm.peer == "b"
    assert choice.latency_ms[choice.chosen] == pytest.approx(2 + 1 + 10 + 20 + 101, rel=0.02)


def test_earlier_tasks_occupy_the_link_to_their_peer_alone() -> None:
    backlog = Backlog(clock=lambda: 0.0)
    ahead = backlog.ahead("m", [TaskCosts("m", 10.0, 300.0, 50.0, "a")])
    assert ahead == Ahead(10.0, {"a": 310.0}, {"a": 360.0})
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    peers = {"a": server(rtt=5), "b": server(rtt=40)}
    assert policy.choose(Situation(device=DEVICE, peers=peers, ahead=ahead)).arm.peer == "b"
