"""What decisions are made from: profiles, link probes and load, measured and learned."""

import asyncio
import json

import httpx
import pytest

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.decision import decide, learn
from edgewright.edge_runtime.execution.invocation import prepare, prepare_decision
from edgewright.edge_runtime.keys import ANONYMOUS
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import DecideRequest, InvokeOptions
from edgewright.tools.contracts.profiles import (
    NodeProfile,
)
from edgewright.tools.errors import InputError

MODEL = "efficientnet-lite0"
CARD = "image-classification"
SPLIT = Arm(kind="co-inference", point=4)
ALONE = Arm(kind="device-only")


def _poll_every(node, seconds):
    peer = node.peers["edge"]
    peer.config = peer.config.model_copy(update={"poll_s": seconds})


async def test_decisions_before_and_after_measuring(node, cat, set_profiles):
    call = await prepare(node, CARD, InvokeOptions(), cat, caller=ANONYMOUS)
    assert "not measured" in decide(node, call).reason
    set_profiles(node)
    decision = decide(node, call)
    assert len(decision.forecasts) == 2
    assert decision.peers["edge"].obstacle == ""
    assert node.current_profile().peers["edge"].profile.node == "edge"


@pytest.mark.parametrize("other", [{"revision": "other"}, {"encodings": "other"}])
async def test_times_of_other_weights_or_codecs_are_neither_used_nor_reported(
    node, other, own_profile
):
    right, wrong = own_profile(node), own_profile(node, **other)
    node.profile = node.profile.model_copy(update={"models": {MODEL: right}})
    assert node.current_profile().models == {MODEL: right}
    node.profile = node.profile.model_copy(update={"models": {MODEL: wrong}})
    assert node.model_profile(MODEL) is None
    assert not node.current_profile().models


async def test_the_peer_is_contacted_until_it_answers(node, wire):
    _poll_every(node, 0.01)
    wire.failure = httpx.ConnectError("refused")
    watching = asyncio.create_task(node.peers["edge"].watch())
    async with asyncio.timeout(5):
        while len(wire.paths) < 2:
            await asyncio.sleep(0.01)
        assert node.peers["edge"].profile is None
        wire.failure = None
        while node.peers["edge"].profile is None:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert node.peers["edge"].name == "edge"


async def test_the_report_counts_the_devices_energy(node, make_app, cat, run_call):
    report = (await run_call(node, cat, SPLIT)).report
    device_ms = sum(report.stages_ms[name] for name in ("decode", "preprocess", "head", "encode"))
    radio_j = (2.27 * report.bytes_up + 1.1 * report.bytes_down) / 1e6
    assert report.energy_j == pytest.approx(3.7 * device_ms / 1000 + radio_j, abs=1e-4)
    edge = make_app(role="edge").state.node
    assert (await run_call(edge, cat)).report.energy_j == 0


async def test_an_edge_server_reports_its_load_and_a_device_subtracts_its_own(
    node, wire, cat, run_call
):
    edge = wire.edge.state.node
    meter = edge.workers.worker(MODEL).meter
    for _ in range(30):
        meter.arrived()
        meter.served(0.02)
    await run_call(node, cat, SPLIT)
    load = node.peers["edge"].server(MODEL).load
    # The direct worker measures nothing, so the thirty calls do not include the device's own.
    assert load.arrivals_per_s == pytest.approx((30 - 1) / 10)
    assert load.service_ms == pytest.approx(20)
    await run_call(node, cat, Arm(kind="edge-only", image_codec="png"))
    assert node.peers["edge"].server(MODEL).load.arrivals_per_s == pytest.approx((30 - 2) / 10)
    assert (await run_call(edge, cat)).load.arrivals_per_s == pytest.approx(3)
    assert node.current_profile().load == {}
    assert edge.current_profile().load[MODEL].service_ms == pytest.approx(20)


async def test_a_device_learns_how_far_its_profile_is_off(node, cat, run_call, set_profiles):
    set_profiles(node)
    call = await prepare(node, CARD, InvokeOptions(), cat, caller=ANONYMOUS)
    before = decide(node, call).forecasts
    for _ in range(3):
        await run_call(node, cat)
    assert {one.latency_ms for one in decide(node, call).forecasts} != {
        one.latency_ms for one in before
    }


async def test_nothing_is_learned_from_what_was_known_before(node, cat, set_profiles):
    set_profiles(node)
    call = await prepare(node, CARD, InvokeOptions(), cat, caller=ANONYMOUS)
    before = decide(node, call).forecasts
    costs = CostRecorder(planned=ALONE, slowdown=1.0, energy=None)
    costs.computed("device", {"decode": 1.0, "whole": 0.1})
    costs.cached = ["objects"]
    learn(node, call, ALONE, costs)
    assert decide(node, call).forecasts == before
    costs.cached = []
    learn(node, call, ALONE, costs)
    assert decide(node, call).forecasts != before


async def test_a_server_without_peers_learns_nothing_for_a_choice_that_it_never_makes(
    wire, cat, own_profile
):
    edge = wire.edge.state.node
    edge.profile = edge.profile.model_copy(update={"models": {MODEL: own_profile(edge)}})
    call = await prepare(edge, CARD, InvokeOptions(), cat, caller=ANONYMOUS)
    costs = CostRecorder(planned=ALONE, slowdown=1.0, energy=None)
    costs.computed("edge", {"decode": 1.0, "whole": 0.1})
    learn(edge, call, ALONE, costs)
    assert not edge._policies


async def test_an_idle_link_is_probed_while_tasks_arrive(node, wire, cat, run_call, set_profiles):
    _poll_every(node, 0.02)
    set_profiles(node)
    watching = asyncio.create_task(node.peers["edge"].watch())
    async with asyncio.timeout(5):
        while "/v1/profile" not in wire.paths:
            await asyncio.sleep(0.01)
        wire.paths.clear()
        set_profiles(node)
        await asyncio.sleep(0.1)
        assert set(wire.paths) <= {"/v1/profile"}  # no task has arrived
        await run_call(node, cat, ALONE)
        assert set(wire.paths) <= {"/v1/profile"}  # a fixed arm needs no link
        node.peers["edge"].task_arrived()
        while wire.paths[-2:] != ["/v1/probe", "/v1/probe"]:
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_busy_link_is_probed_now_and_then(
    node, wire, cat, monkeypatch, run_call, set_profiles
):
    interval = "edgewright.edge_runtime.peers.peer._PROBE_INTERVAL_S"
    monkeypatch.setattr(interval, 60.0)
    _poll_every(node, 60.0)  # longer than this test
    set_profiles(node)
    watching = asyncio.create_task(node.peers["edge"].watch())
    async with asyncio.timeout(5):
        while "/v1/profile" not in wire.paths:
            await asyncio.sleep(0.01)
        set_profiles(node)
        node.peers["edge"].task_arrived()
        await run_call(node, cat, SPLIT)
        await asyncio.sleep(0.05)
        first = wire.paths.count("/v1/probe")
        await run_call(node, cat, SPLIT)
        await asyncio.sleep(0.05)
        assert wire.paths.count("/v1/probe") == first  # the last probe was just made
        monkeypatch.setattr(interval, 0.0)
        await asyncio.sleep(0.05)
        assert wire.paths.count("/v1/probe") == first  # no transfer has ended since
        await run_call(node, cat, SPLIT)
        while wire.paths.count("/v1/probe") == first:
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_failed_link_is_probed_and_a_returned_peer_is_profiled_again(
    node, wire, set_profiles
):
    _poll_every(node, 0.01)
    watching = asyncio.create_task(node.peers["edge"].watch())
    async with asyncio.timeout(5):
        while "/v1/profile" not in wire.paths:
            await asyncio.sleep(0.01)
        wire.paths.clear()
        set_profiles(node)
        node.peers["edge"].link.failed()
        while not node.peers["edge"].link.state().up:
            await asyncio.sleep(0.01)
        assert set(wire.paths) == {"/v1/probe"}
        wire.failure = httpx.ConnectError("refused")
        wire.paths.clear()
        node.peers["edge"].link.failed()
        while len(wire.paths) < 2:
            await asyncio.sleep(0.01)
        assert wire.paths[:2] == ["/v1/probe", "/v1/profile"]
    watching.cancel()


async def test_over_a_slow_link_the_profile_is_fetched_less_often(
    node, wire, monkeypatch, own_profile
):
    monkeypatch.setattr("edgewright.edge_runtime.peers.peer._REFRESH_S", 0.02)
    _poll_every(node, 0.01)
    theirs = {MODEL: own_profile(node)}
    wire.edge.state.node.profile = NodeProfile(node="edge", role="edge", models=theirs)
    watching = asyncio.create_task(node.peers["edge"].watch())
    async with asyncio.timeout(5):
        while wire.paths.count("/v1/profile") < 3:
            await asyncio.sleep(0.01)
        node.peers["edge"].link.observe(10_000, 0, 100_000)
        await asyncio.sleep(0.05)
        fetched = wire.paths.count("/v1/profile")
        await asyncio.sleep(0.2)
        assert wire.paths.count("/v1/profile") == fetched
    watching.cancel()


async def test_a_card_without_an_image_takes_none(node, cat):
    point = {"name": "nose", "x": 5, "y": 5, "score": 0.9}
    box = {"x0": 0, "y0": 0, "x1": 9, "y1": 9}
    pose = {"width": 9, "height": 9, "poses": [{"box": box, "score": 1, "keypoints": [point]}]}
    args = {"pose": json.dumps(pose), "prompt": "a reading girl"}
    pending = await prepare_decision(node, "pose-to-image", DecideRequest(args=args))
    assert pending.facts is None
    options = InvokeOptions(args=args)
    call = await prepare(node, "pose-to-image", options, None, caller=ANONYMOUS)
    assert (call.image, call.facts) == (b"", None)
    with pytest.raises(InputError) as raised:
        await prepare(node, "pose-to-image", options, cat, caller=ANONYMOUS)
    assert raised.value.info().code == "image_not_expected"
