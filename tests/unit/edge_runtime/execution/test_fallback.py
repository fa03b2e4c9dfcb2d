"""The fallback chain: each step gives the device-only answer, and the report says why."""

from dataclasses import replace

import httpx
import pytest

from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import prepare
from edgewright.edge_runtime.keys import ANONYMOUS
from edgewright.tools.codecs import frame
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
    InputError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
    WorkerLostError,
)
from edgewright.tools.nodes.client import NodeClient

MODEL = "efficientnet-lite0"
CARD = "image-classification"
SPLIT = Arm(kind="co-inference", point=4)
ALONE = Arm(kind="device-only")


async def test_co_inference_reports_the_costs_of_both_nodes(node, cat, run_call):
    response = await run_call(node, cat, SPLIT)
    report = response.report
    assert report.arm == "co-inference (point 4)"
    assert report.nodes == ["device", "edge"]
    assert report.bytes_up == report.frame_bytes > 1000
    assert report.bytes_down > 100
    assert {"upload", "edge_tail", "edge_other", "download"} <= set(report.stages_ms)
    assert node.peers["edge"].link.state().samples == 1


async def test_a_frames_checksum_is_computed_once_on_each_side(node, cat, monkeypatch, run_call):
    checksum, computed = frame._checksum, []

    def counted(fields: bytes, payload: bytes) -> bytes:
        computed.append(len(payload))
        return checksum(fields, payload)

    monkeypatch.setattr(frame, "_checksum", counted)
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == SPLIT.label
    assert len(computed) == 2


async def test_edge_only_sends_the_image_encoded_or_unchanged(node, cat, run_call):
    encoded = await run_call(node, cat, Arm(kind="edge-only", image_codec="jpeg", quality=80))
    assert encoded.report.bytes_up < len(cat)
    unchanged = await run_call(node, cat, Arm(kind="edge-only"))
    assert unchanged.report.bytes_up == len(cat)
    assert unchanged.output == (await run_call(node, cat, ALONE)).output


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx.ReadError("reset"), "link_broken"),
        (httpx.RemoteProtocolError("cut"), "link_broken"),
        (httpx.ConnectError("refused"), "link_refused"),
        (5.0, "deadline_exceeded"),
    ],
)
async def test_a_lost_link_costs_only_the_remaining_blocks(
    node, wire, cat, failure, code, run_call
):
    alone = await run_call(node, cat, ALONE)
    wire.failure = failure
    response = await run_call(node, cat, SPLIT)
    report = response.report
    assert response.output == alone.output
    assert report.head_reused
    assert "resume" in report.stages_ms
    assert (report.arm, report.planned_arm) == ("device-only", "co-inference (point 4)")
    assert [(step.tried, step.code, step.used) for step in report.fallback] == [
        ("co-inference (point 4)", code, "device-only")
    ]
    assert not node.peers["edge"].link.state().up
    assert report.bytes_down == 0


async def test_a_lost_link_of_edge_only_runs_the_whole_model_on_the_device(
    node, wire, cat, run_call
):
    wire.failure = httpx.ReadError("reset")
    response = await run_call(node, cat, Arm(kind="edge-only"))
    assert response.report.arm == "device-only"
    assert not response.report.head_reused
    assert "whole" in response.report.stages_ms


async def test_features_that_are_gone_are_computed_again(node, wire, cat, run_call, fail):
    wire.failure = httpx.ReadError("reset")
    fail(node, "resume", NotFoundError("gone", code="ticket_unknown"))
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert not response.report.head_reused


async def test_after_a_refused_frame_the_image_is_sent_if_it_fits(
    node, wire, cat, run_call, set_profiles
):
    set_profiles(node)
    alone = await run_call(node, cat, ALONE)
    await _refuse_tails(wire)
    response = await run_call(node, cat, SPLIT)
    assert response.output == alone.output
    assert response.report.arm == "edge-only (original image)"
    assert [step.code for step in response.report.fallback] == ["frame_fingerprint"]
    assert response.report.bytes_up == response.report.frame_bytes + len(cat)


async def test_after_a_refused_frame_the_device_continues_if_the_weights_differ(
    node, wire, cat, run_call, set_profiles
):
    set_profiles(node, revision="other")
    await _refuse_tails(wire)
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert response.report.head_reused


async def test_no_image_goes_to_a_peer_that_receives_features(
    node, wire, cat, run_call, set_profiles, fail
):
    set_profiles(node)
    peer = node.peers["edge"]
    peer.config = peer.config.model_copy(update={"receives": "features"})
    await _refuse_tails(wire)
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    with pytest.raises(InputError, match="receives features only"):
        await run_call(node, cat, Arm(kind="edge-only"))
    fail(node, "whole", WorkerLostError("gone"))
    with pytest.raises(WorkerLostError):
        await run_call(node, cat, ALONE)
    assert not any(path.endswith(":invoke") for path in wire.paths)


async def test_another_peer_takes_over(make_app, wire, cat, run_call, own_profile):
    cloud = type(wire)(make_app(role="cloud", name="cloud"))
    async with (
        NodeClient("http://localhost", transport=wire) as to_edge,
        NodeClient("http://localhost", transport=cloud) as to_cloud,
    ):
        urls = [{"url": "http://localhost"}, {"name": "cloud", "url": "http://localhost"}]
        clients = {"edge": to_edge, "cloud": to_cloud}
        settings = {"name": "device", "limits": {"peer_patience_s": 60}}
        settings["link_prior"] = {"rate_kb_per_s": 1_000_000, "rtt_ms": 1}
        node = make_app(peers=urls, peer_clients=clients, **settings).state.node
        own = own_profile(node)
        fast = [one.model_copy(update={"ms": 0.1}) for one in own.blocks]
        theirs = {MODEL: own.model_copy(update={"blocks": fast})}
        node.profile = node.profile.model_copy(update={"models": {MODEL: own}})
        for name, peer in node.peers.items():
            peer.profile = NodeProfile(node=name, role="edge", models=theirs)
        wire.failure = httpx.ReadError("reset")
        response = await run_call(node, cat, Arm(kind="edge-only"))
        assert response.report.fallback[0].tried == "edge-only (original image)"
        assert response.report.arm.startswith("co-inference with cloud (point 4")
        assert response.report.nodes == ["device", "cloud"]
        assert not node.peers["edge"].state.up
        later = await run_call(node, cat)
        assert later.report.fallback == []
        assert "edge" not in later.report.nodes


async def _refuse_tails(wire):
    inner = wire.handle_async_request
    problem = (
        b'{"type":"x","title":"x","status":422,"detail":"other codec","code":"frame_fingerprint",'
        b'"retryable":false}'
    )

    async def handle(request):
        if request.url.path.endswith("/tail"):
            async for _ in request.stream:
                pass
            return httpx.Response(422, stream=httpx.ByteStream(problem))
        return await inner(request)

    wire.handle_async_request = handle


async def test_a_lost_worker_hands_the_image_to_the_edge(node, cat, run_call, fail, set_profiles):
    set_profiles(node)
    fail(node, "whole", WorkerLostError("gone"))
    response = await run_call(node, cat, ALONE)
    assert response.report.arm == "edge-only (original image)"
    assert response.report.nodes == ["edge"]
    assert response.report.fallback[0].code == "worker_lost"


async def test_a_lost_worker_without_a_peer_tries_again(node, cat, run_call, fail):
    fail(node, "head", WorkerLostError("gone"))
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert response.report.fallback[0].code == "worker_lost"


async def test_a_call_fails_honestly_when_nothing_is_left(node, wire, cat, run_call, fail):
    wire.failure = httpx.ReadError("reset")
    fail(node, "resume", UnavailableError("out of memory", code="model_not_loaded"))
    with pytest.raises(EdgewrightError, match=r"out of memory \(tried before: co-inf.*link_bro"):
        await run_call(node, cat, SPLIT)
    fail(node, "whole", OverloadedError("full", retry_after_s=1))
    with pytest.raises(OverloadedError) as raised:
        await run_call(node, cat, ALONE)
    assert raised.value.retry_after_s == 1


async def test_a_smaller_model_takes_over_and_is_named(node, operations, cat):
    class Bigger:
        id, card, model, approximate = "bigger", CARD, "big", False

    worker = type(node.workers.worker(MODEL))(operations)
    worker.failures["whole"] = UnavailableError("no memory", code="model_not_loaded")
    node.workers._workers["big"] = worker
    call = await prepare(node, CARD, InvokeOptions(arm=ALONE), cat, caller=ANONYMOUS)
    response = await Execution(node, replace(call, experts=(Bigger(), *call.experts))).run()
    assert response.report.expert == "efficientnet-lite0-classifier"
    assert response.report.fallback[0].code == "model_not_loaded"


async def test_a_missed_deadline_ends_the_fallback_chain(node, cat, run_call, fail):
    fail(node, "whole", DeadlineError("late"))
    with pytest.raises(DeadlineError):
        await run_call(node, cat, ALONE, deadline_s=1e-6)


async def test_a_deadline_missed_by_the_peer_does_not_mark_the_link_down(node, wire, cat, run_call):
    problem = b'{"type":"x","title":"x","status":504,"detail":"late","code":"deadline_exceeded",'
    wire.answer = (504, {}, problem + b'"retryable":true}')
    response = await run_call(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert node.peers["edge"].link.state().up


def takes_alone(node, own_profile, seconds):
    """Let a device's profile say that the model takes so long here."""
    profile = own_profile(node)
    each = 1000 * seconds / len(profile.blocks)
    slow = [block.model_copy(update={"ms": each}) for block in profile.blocks]
    models = {MODEL: profile.model_copy(update={"blocks": slow})}
    node.profile = node.profile.model_copy(update={"models": models})


async def test_a_device_that_would_just_finish_leaves_half_the_time_to_its_peer(
    node, wire, cat, run_call, own_profile
):
    takes_alone(node, own_profile, 12.9)  # with its margin, all but a tenth of a second
    wire.failure = 0.9
    response = await run_call(node, cat, Arm(kind="edge-only"), deadline_s=20)
    assert response.report.arm == "edge-only (original image)"
    assert response.report.fallback == []


async def test_a_device_that_is_too_slow_leaves_all_the_time_to_its_peer(
    node, cat, run_call, own_profile
):
    takes_alone(node, own_profile, 90)  # longer than the deadline
    response = await run_call(node, cat, Arm(kind="edge-only"), deadline_s=20)
    assert response.report.arm == "edge-only (original image)"
    assert response.report.fallback == []


QUANTISED = {"precision": "int8"}


@pytest.mark.parametrize("arm", [SPLIT, ALONE, Arm(kind="edge-only")])
async def test_every_kind_of_arm_runs_quantised(node, cat, run_call, arm):
    exact = await run_call(node, cat, arm)
    response = await run_call(node, cat, arm.model_copy(update=QUANTISED))
    assert "int8" in response.report.arm
    assert (exact.report.precision, response.report.precision) == ("fp32", "int8")
    best = [one["label"] for one in response.output["labels"][:2]]
    assert exact.output["labels"][0]["label"] in best  # two kinds of cat are about as likely
    assert response.output != exact.output
    assert not response.report.fallback


async def test_a_device_continues_a_quantised_head_at_its_precision(node, wire, cat, run_call):
    whole = await run_call(node, cat, ALONE.model_copy(update=QUANTISED))
    wire.failure = httpx.ReadError("reset")
    response = await run_call(node, cat, SPLIT.model_copy(update=QUANTISED))
    assert response.report.arm == "device-only (int8)"
    assert response.report.head_reused
    scores = [
        {one["label"]: one["score"] for one in answer.output["labels"]}
        for answer in (response, whole)
    ]
    best = max(scores[1], key=lambda label: scores[1][label])
    assert scores[0][best] == pytest.approx(scores[1][best], abs=0.05)
