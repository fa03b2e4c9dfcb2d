"""The fallback chain: each step gives the device-only answer, and the report says why."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from edgewright.edge_runtime.execution.decision import decide
from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import prepare
from edgewright.tools.codecs import frame
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    ModelProfile,
    NodeProfile,
    PointProfile,
)
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
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


class Wire(httpx.AsyncBaseTransport):
    """A transport to an application in this process, with faults on demand.

    Attributes:
        edge: The application.
        failure: An exception to raise, or a stall in seconds.
        answer: A response to return instead of the application's.
    """

    def __init__(self, app):
        self.edge = app
        self._inner = httpx.ASGITransport(app=app)
        self.failure = None
        self.answer = None
        self.paths = []

    async def handle_async_request(self, request):
        self.paths.append(request.url.path)
        if isinstance(self.failure, float):
            await asyncio.sleep(self.failure)
        elif self.failure is not None:
            body = request.stream.__aiter__()
            await anext(body, None)
            raise self.failure
        if self.answer is not None:
            status, headers, content = self.answer
            return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))
        return await self._inner.handle_async_request(request)


@pytest.fixture
def wire(make_app):
    return Wire(make_app(role="edge", name="edge"))


@pytest.fixture
async def node(make_app, wire):
    async with NodeClient("http://edge", transport=wire) as client:
        app = make_app(
            role="device",
            name="device",
            peer={"url": "http://edge"},
            limits={"peer_patience_s": 0.2},
            link_prior={"rate_kb_per_s": 1_000_000, "rtt_ms": 1},
            peer_client=client,
        )
        yield app.state.node


async def _run(node, image, arm=None, **options):
    call = await prepare(node, CARD, InvokeOptions(arm=arm, **options), image, "id")
    return await Execution(node, call).run()


def _fail(node, operation: str, error: Exception) -> None:
    node.workers.worker(MODEL).failures[operation] = error


def _profile(node, **more) -> ModelProfile:
    point = PointProfile(
        point=4, name="b4", frame_bytes=30_000, encode_ms=1, decode_ms=1, accuracy_retention=1.0
    )
    profile = ModelProfile(
        model=MODEL,
        revision=node.revision(MODEL),
        encodings=node.workers.worker(MODEL).description.get("encodings", ""),
        preprocess_ms=5,
        preprocess_pixels=100_000,
        blocks=[BlockProfile(name=f"b{index}", ms=5) for index in range(18)],
        postprocess_ms=1,
        points=[point],
        image_codecs=[],
    )
    return profile.model_copy(update=more)


def _set_profiles(node, **more) -> None:
    """Give the device its own profile and its peer's."""
    node.profile = node.profile.model_copy(update={"models": {MODEL: _profile(node)}})
    models = {MODEL: _profile(node, **more)}
    node.peer.profile = NodeProfile(node="edge", role="edge", models=models)


async def test_co_inference_reports_the_costs_of_both_nodes(node, cat):
    response = await _run(node, cat, SPLIT)
    report = response.report
    assert report.arm == "co-inference (point 4)"
    assert report.nodes == ["device", "edge"]
    assert report.bytes_up == report.frame_bytes > 1000
    assert report.bytes_down > 100
    assert {"upload", "edge_tail", "edge_other", "download"} <= set(report.stages_ms)
    assert node.peer.link.state().samples == 1


async def test_a_frames_checksum_is_computed_once_on_each_side(node, cat, monkeypatch):
    checksum, computed = frame._checksum, []

    def counted(fields: bytes, payload: bytes) -> bytes:
        computed.append(len(payload))
        return checksum(fields, payload)

    monkeypatch.setattr(frame, "_checksum", counted)
    response = await _run(node, cat, SPLIT)
    assert response.report.arm == SPLIT.label
    assert len(computed) == 2


async def test_edge_only_sends_the_image_encoded_or_unchanged(node, cat):
    encoded = await _run(node, cat, Arm(kind="edge-only", image_codec="jpeg", quality=80))
    assert encoded.report.bytes_up < len(cat)
    unchanged = await _run(node, cat, Arm(kind="edge-only"))
    assert unchanged.report.bytes_up == len(cat)
    assert unchanged.output == (await _run(node, cat, ALONE)).output


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx.ReadError("reset"), "link_broken"),
        (httpx.RemoteProtocolError("cut"), "link_broken"),
        (httpx.ConnectError("refused"), "link_refused"),
        (5.0, "deadline_exceeded"),
    ],
)
async def test_a_lost_link_costs_only_the_remaining_blocks(node, wire, cat, failure, code):
    alone = await _run(node, cat, ALONE)
    wire.failure = failure
    response = await _run(node, cat, SPLIT)
    report = response.report
    assert response.output == alone.output
    assert report.head_reused
    assert "resume" in report.stages_ms
    assert (report.arm, report.planned_arm) == ("device-only", "co-inference (point 4)")
    assert [(step.tried, step.code, step.used) for step in report.fallback] == [
        ("co-inference (point 4)", code, "device-only")
    ]
    assert not node.peer.link.state().up
    assert report.bytes_down == 0


async def test_a_lost_link_of_edge_only_runs_the_whole_model_on_the_device(node, wire, cat):
    wire.failure = httpx.ReadError("reset")
    response = await _run(node, cat, Arm(kind="edge-only"))
    assert response.report.arm == "device-only"
    assert not response.report.head_reused
    assert "whole" in response.report.stages_ms


async def test_features_that_are_gone_are_computed_again(node, wire, cat):
    wire.failure = httpx.ReadError("reset")
    _fail(node, "resume", NotFoundError("gone", code="ticket_unknown"))
    response = await _run(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert not response.report.head_reused


async def test_after_a_refused_frame_the_image_is_sent_if_it_fits(node, wire, cat):
    _set_profiles(node)
    alone = await _run(node, cat, ALONE)
    await _refuse_tails(wire)
    response = await _run(node, cat, SPLIT)
    assert response.output == alone.output
    assert response.report.arm == "edge-only (original image)"
    assert [step.code for step in response.report.fallback] == ["frame_fingerprint"]
    assert response.report.bytes_up == response.report.frame_bytes + len(cat)


async def test_after_a_refused_frame_the_device_continues_if_the_weights_differ(node, wire, cat):
    _set_profiles(node, revision="other")
    await _refuse_tails(wire)
    response = await _run(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert response.report.head_reused


async def _refuse_tails(wire: Wire) -> None:
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


async def test_a_lost_worker_hands_the_image_to_the_edge(node, cat):
    _set_profiles(node)
    _fail(node, "whole", WorkerLostError("gone"))
    response = await _run(node, cat, ALONE)
    assert response.report.arm == "edge-only (original image)"
    assert response.report.nodes == ["edge"]
    assert response.report.fallback[0].code == "worker_lost"


async def test_a_lost_worker_without_a_peer_tries_again(node, cat):
    _fail(node, "head", WorkerLostError("gone"))
    response = await _run(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert response.report.fallback[0].code == "worker_lost"


async def test_a_call_fails_honestly_when_nothing_is_left(node, wire, cat):
    wire.failure = httpx.ReadError("reset")
    _fail(node, "resume", UnavailableError("out of memory", code="model_not_loaded"))
    with pytest.raises(EdgewrightError, match=r"out of memory \(tried before: co-inf.*link_bro"):
        await _run(node, cat, SPLIT)
    _fail(node, "whole", OverloadedError("full", retry_after_s=1))
    with pytest.raises(OverloadedError) as raised:
        await _run(node, cat, ALONE)
    assert raised.value.retry_after_s == 1


async def test_a_smaller_model_takes_over_and_is_named(node, operations, cat):
    class Bigger:
        id, card, model, approximate = "bigger", CARD, "big", False

    worker = type(node.workers.worker(MODEL))(operations)
    worker.failures["whole"] = UnavailableError("no memory", code="model_not_loaded")
    node.workers._workers["big"] = worker
    call = await prepare(node, CARD, InvokeOptions(arm=ALONE), cat, "id")
    response = await Execution(node, replace(call, experts=(Bigger(), *call.experts))).run()
    assert response.report.expert == "efficientnet-lite0-classifier"
    assert response.report.fallback[0].code == "model_not_loaded"


async def test_a_missed_deadline_ends_the_fallback_chain(node, cat):
    _fail(node, "whole", DeadlineError("late"))
    with pytest.raises(DeadlineError):
        await _run(node, cat, ALONE, deadline_s=1e-6)


async def test_a_deadline_missed_by_the_peer_does_not_mark_the_link_down(node, wire, cat):
    problem = b'{"type":"x","title":"x","status":504,"detail":"late","code":"deadline_exceeded",'
    wire.answer = (504, {}, problem + b'"retryable":true}')
    response = await _run(node, cat, SPLIT)
    assert response.report.arm == "device-only"
    assert node.peer.link.state().up


async def test_decisions_before_and_after_measuring(node, cat):
    call = await prepare(node, CARD, InvokeOptions(), cat, "id")
    assert "not measured" in decide(node, call).reason
    _set_profiles(node)
    decision = decide(node, call)
    assert len(decision.forecasts) == 2
    assert decision.link is not None
    assert node.current_profile().peer.node == "edge"


@pytest.mark.parametrize("other", [{"revision": "other"}, {"encodings": "other"}])
async def test_times_of_other_weights_or_codecs_are_neither_used_nor_reported(node, other):
    right, wrong = _profile(node), _profile(node, **other)
    node.profile = node.profile.model_copy(update={"models": {MODEL: right}})
    assert node.current_profile().models == {MODEL: right}
    node.profile = node.profile.model_copy(update={"models": {MODEL: wrong}})
    assert node.model_profile(MODEL) is None
    assert not node.current_profile().models


async def test_the_peer_is_contacted_until_it_answers(node, wire):
    node.peer._poll_s = 0.01
    wire.failure = httpx.ConnectError("refused")
    watching = asyncio.create_task(node.peer.watch())
    async with asyncio.timeout(5):
        while len(wire.paths) < 2:
            await asyncio.sleep(0.01)
        assert node.peer.profile is None
        wire.failure = None
        while node.peer.profile is None:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert node.peer.name == "edge"


async def test_the_report_counts_the_devices_energy(node, make_app, cat):
    report = (await _run(node, cat, SPLIT)).report
    device_ms = sum(report.stages_ms[name] for name in ("decode", "preprocess", "head", "encode"))
    radio_j = (2.27 * report.bytes_up + 1.1 * report.bytes_down) / 1e6
    assert report.energy_j == pytest.approx(3.7 * device_ms / 1000 + radio_j, abs=1e-4)
    edge = make_app(role="edge").state.node
    assert (await _run(edge, cat)).report.energy_j == 0


async def test_an_edge_server_reports_its_load_and_a_device_subtracts_its_own(node, wire, cat):
    edge = wire.edge.state.node
    meter = edge.workers.worker(MODEL).meter
    for _ in range(30):
        meter.arrived()
        meter.served(0.02)
    await _run(node, cat, SPLIT)
    load = node.peer.load(MODEL)
    # The direct worker measures nothing, so the thirty calls do not include the device's own.
    assert load.arrivals_per_s == pytest.approx((30 - 1) / 10)
    assert load.service_ms == pytest.approx(20)
    await _run(node, cat, Arm(kind="edge-only", image_codec="png"))
    assert node.peer.load(MODEL).arrivals_per_s == pytest.approx((30 - 2) / 10)
    assert (await _run(edge, cat)).load.arrivals_per_s == pytest.approx(3)
    assert node.current_profile().load == {}
    assert edge.current_profile().load[MODEL].service_ms == pytest.approx(20)


async def test_a_device_learns_how_far_its_profile_is_off(node, cat):
    _set_profiles(node)
    call = await prepare(node, CARD, InvokeOptions(), cat, "id")
    before = decide(node, call).forecasts
    for _ in range(3):
        await _run(node, cat)
    assert {one.latency_ms for one in decide(node, call).forecasts} != {
        one.latency_ms for one in before
    }


async def test_an_idle_link_is_probed_while_tasks_arrive(node, wire, cat):
    node.peer._poll_s = 0.02
    _set_profiles(node)
    watching = asyncio.create_task(node.peer.watch())
    async with asyncio.timeout(5):
        while not wire.paths:
            await asyncio.sleep(0.01)
        _set_profiles(node)
        await asyncio.sleep(0.1)
        assert set(wire.paths) == {"/v1/profile"}  # no task has arrived
        await _run(node, cat, ALONE)
        assert set(wire.paths) == {"/v1/profile"}  # a fixed arm needs no link
        node.peer.task_arrived()
        while wire.paths[-2:] != ["/v1/probe", "/v1/probe"]:
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_busy_link_is_probed_now_and_then(node, wire, cat, monkeypatch):
    interval = "edgewright.edge_runtime.peers.peer._PROBE_INTERVAL_S"
    monkeypatch.setattr(interval, 60.0)
    node.peer._poll_s = 60.0  # longer than this test
    _set_profiles(node)
    watching = asyncio.create_task(node.peer.watch())
    async with asyncio.timeout(5):
        while not wire.paths:
            await asyncio.sleep(0.01)
        _set_profiles(node)
        node.peer.task_arrived()
        await _run(node, cat, SPLIT)
        await asyncio.sleep(0.05)
        first = wire.paths.count("/v1/probe")
        assert first
        await _run(node, cat, SPLIT)
        await asyncio.sleep(0.05)
        assert wire.paths.count("/v1/probe") == first  # the last probe was just made
        monkeypatch.setattr(interval, 0.0)
        await asyncio.sleep(0.05)
        assert wire.paths.count("/v1/probe") == first  # no transfer has ended since
        await _run(node, cat, SPLIT)
        while wire.paths.count("/v1/probe") == first:
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_failed_link_is_probed_and_a_returned_peer_is_profiled_again(node, wire):
    node.peer._poll_s = 0.01
    watching = asyncio.create_task(node.peer.watch())
    async with asyncio.timeout(5):
        while not node.peer.link.state().samples:
            await asyncio.sleep(0.01)
        _set_profiles(node)
        node.peer.link.failed()
        while not node.peer.link.state().up:
            await asyncio.sleep(0.01)
        assert wire.paths == ["/v1/profile", "/v1/probe", "/v1/probe"]
        wire.failure = httpx.ConnectError("refused")
        node.peer.link.failed()
        while len(wire.paths) < 5:
            await asyncio.sleep(0.01)
        assert wire.paths[3:5] == ["/v1/probe", "/v1/profile"]
    watching.cancel()


async def test_over_a_slow_link_the_profile_is_fetched_less_often(node, wire, monkeypatch):
    monkeypatch.setattr("edgewright.edge_runtime.peers.peer._REFRESH_S", 0.02)
    node.peer._poll_s = 0.01
    theirs = {MODEL: _profile(node)}
    wire.edge.state.node.profile = NodeProfile(node="edge", role="edge", models=theirs)
    watching = asyncio.create_task(node.peer.watch())
    async with asyncio.timeout(5):
        while wire.paths.count("/v1/profile") < 3:
            await asyncio.sleep(0.01)
        node.peer.link.observe(10_000, 0, 100_000)
        await asyncio.sleep(0.05)
        fetched = wire.paths.count("/v1/profile")
        await asyncio.sleep(0.2)
        assert wire.paths.count("/v1/profile") == fetched
    watching.cancel()
