"""Two nodes in separate processes: every arm, every form of request, every invalid image."""

import base64
import io
import json
import os
import signal
import time
from contextlib import suppress

import httpx
import psutil
import pytest
from PIL import Image

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import OPTIONS_HEADER, InvokeOptions
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

pytestmark = pytest.mark.timeout(180)

CARD = "image-classification"
ARMS = [
    Arm(kind="device-only"),
    Arm(kind="edge-only"),
    Arm(kind="edge-only", image_codec="png"),
    Arm(kind="edge-only", image_codec="jpeg", quality=90),
    Arm(kind="co-inference", point=4),
    Arm(kind="co-inference", point=12),
]


@pytest.fixture
async def http(device_node):
    async with httpx.AsyncClient(base_url=device_node.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.label)
async def test_every_arm_names_the_cat_and_reports_its_cost(device_client, encoded, arm):
    response = await device_client.invoke(CARD, InvokeOptions(arm=arm), encoded())
    report = response.report
    assert "cat" in response.output["text"]
    assert report.arm == report.planned_arm == arm.label
    assert report.fallback == []
    assert not report.head_reused
    stages = list(report.stages_ms)
    if arm.kind == "device-only":
        assert report.nodes == ["device"]
        assert (report.bytes_up, report.bytes_down) == (0, 0)
        assert stages == ["decode", "preprocess", "whole", "postprocess"]
        return
    assert report.nodes[-1] == "edge"
    assert report.bytes_up > 1000
    assert report.bytes_down > 100
    assert stages[-2:] == ["edge_other", "download"]
    assert "edge_postprocess" in stages
    if arm.kind == "co-inference":
        assert report.frame_bytes == report.bytes_up
        assert stages[:5] == ["decode", "preprocess", "head", "encode", "upload"]
    elif arm.image_codec is None:
        assert report.bytes_up == len(encoded())


async def test_lossless_arms_agree_exactly(device_client, encoded):
    arms = [ARMS[0], ARMS[1], ARMS[2]]
    outputs = [
        (await device_client.invoke(CARD, InvokeOptions(arm=arm), encoded())).output for arm in arms
    ]
    assert outputs[0] == outputs[1] == outputs[2]


async def test_the_device_decides_from_profiles_and_link(device_client, encoded):
    for _ in range(100):
        profile = await device_client.profile()
        if profile.knows_peers:
            break
        time.sleep(0.1)
    decision = await device_client.decide(CARD, InvokeOptions(), probe(encoded()))
    assert len(decision.forecasts) > 10
    assert decision.peers["edge"].link.up
    assert decision.reason
    response = await device_client.invoke(CARD, InvokeOptions(), encoded())
    assert "cat" in response.output["text"]


async def test_the_camera_and_the_lists(device_client, edge_client):
    sensors = await device_client.sensors()
    assert [(one.kind, one.items) for one in sensors] == [("camera", ["cat.jpg"])]
    response = await device_client.invoke(CARD, InvokeOptions(camera="cat.jpg"), None)
    assert "cat" in response.output["text"]
    cards = {card.id: card for card in await device_client.tools()}
    assert cards[CARD].available
    assert cards["visual-question-answering"].schema_["required"] == ["image", "question"]
    models = {model.name: model for model in await edge_client.models()}
    assert models["efficientnet-lite0"].ready
    assert models["efficientnet-lite0"].partition_points == 19


async def test_json_and_raw_bodies_are_the_same_call(http, encoded):
    options = {"args": {"question": "Is there a cat?"}, "arm": {"kind": "device-only"}}
    path = "/v1/tools/visual-question-answering:invoke"
    raw = await http.post(
        path,
        content=encoded(),
        headers={"Content-Type": "image/jpeg", OPTIONS_HEADER: json.dumps(options)},
    )
    body = {**options, "image_base64": base64.b64encode(encoded()).decode()}
    as_json = await http.post(path, json=body)
    assert raw.json()["output"] == as_json.json()["output"]
    assert raw.json()["output"]["answer"] == "yes"
    assert not raw.json()["report"]["approximate"]


async def test_a_question_that_cannot_be_answered_is_refused_at_no_cost(device_client, encoded):
    options = InvokeOptions(args={"question": "What is the name of the cat?"})
    response = await device_client.invoke("visual-question-answering", options, encoded())
    assert response.status == "refused"
    assert response.error.code == "refused"
    assert response.report is None


async def test_metrics_count(http, encoded):
    await http.post(f"/v1/tools/{CARD}:invoke", content=encoded(), headers=_type("image/jpeg"))
    text = (await http.get("/metrics")).text
    route = 'edgewright_requests_total{route="/v1/tools/{card}:invoke",status="200"}'
    assert route in text
    assert 'edgewright_worker_resident_memory_bytes{model="efficientnet-lite0"}' in text
    assert "edgewright_link_bytes_per_second" in text


def _type(media_type: str) -> dict[str, str]:
    return {"Content-Type": media_type}


def _bomb(kind: str, side: int = 8_000) -> bytes:
    """Return a small file of one colour that would decode to at least 192 MB."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, kind)
    return buffer.getvalue()


INVALID_IMAGES = [
    ("image/png", b"", 422, "empty_image"),
    ("image/png", b"this is not a picture", 422, "not_an_image"),
    ("image/jpeg", b"\xff\xd8\xff\xe0", 422, "image_truncated"),
    ("image/gif", b"GIF89a", 415, "unsupported_media_type"),
    ("text/plain", b"cat", 415, "unsupported_media_type"),
]


@pytest.mark.parametrize(("media_type", "body", "status", "code"), INVALID_IMAGES)
async def test_invalid_images(http, media_type, body, status, code):
    answer = await http.post(f"/v1/tools/{CARD}:invoke", content=body, headers=_type(media_type))
    _is_problem(answer, status, code)


@pytest.mark.parametrize("cut", [100, 5000, -500])
async def test_truncated_image(http, encoded, cut):
    body = encoded(kind="PNG")[:cut]
    answer = await http.post(f"/v1/tools/{CARD}:invoke", content=body, headers=_type("image/png"))
    _is_problem(answer, 422, "image_truncated")


async def test_image_of_another_type_than_declared(http, encoded):
    headers = _type("image/png")
    answer = await http.post(f"/v1/tools/{CARD}:invoke", content=encoded(), headers=headers)
    _is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "AVIF"])
async def test_a_bomb_is_refused_at_once_and_takes_no_memory(http, device_node, kind):
    bomb = _bomb(kind)
    assert len(bomb) < 4_000_000
    await http.get("/v2/health/live")
    before = _memory(device_node.pid)
    times_s = []
    for _ in range(3):
        started_at = time.perf_counter()
        answer = await http.post(
            f"/v1/tools/{CARD}:invoke", content=bomb, headers=_type(f"image/{kind.lower()}")
        )
        times_s.append(time.perf_counter() - started_at)
        _is_problem(answer, 413, "too_many_pixels")
    assert min(times_s) < 1  # decoding it takes many seconds
    assert _memory(device_node.pid) - before < 150_000_000


async def test_a_jpeg_of_many_scans_holds_no_model(http):
    usual = io.BytesIO()
    Image.new("L", (5000, 4900)).save(usual, "JPEG", progressive=True)
    image = usual.getvalue()
    image = image[:-2] + image[image.rindex(b"\xff\xda") : -2] * 2000 + image[-2:]
    assert len(image) < 10_000_000
    options = {OPTIONS_HEADER: json.dumps({"deadline_s": 120})}
    began = time.perf_counter()
    answer = await http.post(
        f"/v1/tools/{CARD}:invoke", content=image, headers=_type("image/jpeg") | options
    )
    _is_problem(answer, 413, "too_many_scans")
    assert time.perf_counter() - began < 10


def _memory(pid: int) -> int:
    node = psutil.Process(pid)
    return sum(each.memory_info().rss for each in [node, *node.children(recursive=True)])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/tools/no-such-card:invoke", {}, 404, "unknown_card"),
        ("/v1/tools/federated-training:invoke", {}, 404, "card_unavailable"),
        (f"/v1/tools/{CARD}:invoke", {}, 422, "image_missing"),
        (f"/v1/tools/{CARD}:invoke", {"expert": "nobody"}, 404, "unknown_expert"),
        (f"/v1/tools/{CARD}:invoke", {"camera": "../secret"}, 404, "unknown_photograph"),
        (f"/v1/tools/{CARD}:invoke", {"args": {"x": "y"}}, 422, "unknown_argument"),
        (f"/v1/tools/{CARD}:invoke", {"arm": {"kind": "magic"}}, 422, "invalid_body"),
        ("/v1/tools/visual-question-answering:invoke", {}, 422, "argument_missing"),
        ("/v1/nowhere", {}, 404, "not_found"),
        ("/v2/health/live", {}, 405, "method_not_allowed"),
    ],
)
async def test_wrong_requests(http, path, body, status, code):
    _is_problem(await http.post(path, json=body), status, code)


@pytest.mark.parametrize(
    ("arm", "status", "code"),
    [
        ({"kind": "co-inference"}, 422, "arm_not_possible"),
        ({"kind": "co-inference", "point": 99}, 404, "unknown_point"),
        ({"kind": "edge-only", "image_codec": "png", "quality": 3}, 422, "quality_mismatch"),
    ],
)
async def test_arms_that_do_not_exist(http, arm, status, code):
    body = {"camera": "cat.jpg", "arm": arm}
    _is_problem(await http.post(f"/v1/tools/{CARD}:invoke", json=body), status, code)


async def test_unknown_model(http, edge_client):
    _is_problem(await http.get("/v2/models/none"), 404, "unknown_model")


async def test_the_clients_errors_are_the_nodes_own(device_client, encoded):
    with pytest.raises(EdgewrightError, match="no card") as raised:
        await device_client.invoke("none", InvokeOptions(), encoded())
    assert raised.value.info().code == "unknown_card"


async def test_a_killed_worker_is_replaced_and_the_node_stays(node_settings, encoded):
    """The node is not shared, since other tests would see the replacement."""
    async with launch_node(node_settings("device")) as node, NodeClient(node.url) as client:
        for _ in range(2):
            worker = max(
                psutil.Process(node.pid).children(recursive=True), key=lambda one: one.create_time()
            )
            os.kill(worker.pid, signal.SIGKILL)
            started_at = time.monotonic()
            response = None
            while response is None:
                try:
                    response = await client.invoke(CARD, InvokeOptions(), encoded())
                except EdgewrightError as error:
                    assert error.info().code == "worker_lost"
            assert "cat" in response.output["text"]
            assert time.monotonic() - started_at < 10
            time.sleep(1.2)
        assert await client.ready()


async def test_a_stuck_worker_misses_the_deadline_and_is_replaced_after_the_nodes_limit(
    node_settings, encoded
):
    settings = node_settings("device", limits={"deadline_s": 4})
    async with launch_node(settings) as node, NodeClient(node.url) as client:
        worker = max(
            psutil.Process(node.pid).children(recursive=True), key=lambda one: one.create_time()
        )
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(EdgewrightError, match="deadline") as raised:
            await client.invoke(CARD, InvokeOptions(deadline_s=1), encoded())
        assert raised.value.info().code == "deadline_exceeded"
        assert await client.ready()
        assert psutil.pid_exists(worker.pid)  # a short deadline costs nobody else the model
        for _ in range(10):
            with suppress(EdgewrightError):
                response = await client.invoke(CARD, InvokeOptions(), encoded())
                break
        assert "cat" in response.output["text"]
        assert not psutil.pid_exists(worker.pid)


def _is_problem(answer: httpx.Response, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["edgewright-request-id"] == problem["request_id"]
    assert "Traceback" not in answer.text
    assert "/work" not in answer.text
