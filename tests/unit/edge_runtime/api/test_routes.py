"""A node's routes, middleware and OpenAPI description."""

import json
import logging

import httpx
import pytest

from edgewright.edge_runtime.keys import new_key
from edgewright.tools.contracts.invocation import OPTIONS_HEADER
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE

pytestmark = pytest.mark.usefixtures("no_installed_models")

INVOKE = "/v1/tools/image-classification:invoke"
DECIDE = "/v1/tools/image-classification:decide"
FACTS = {"mime": "image/jpeg", "width": 640, "height": 480, "size_bytes": 60_000}
TAIL = "/v1/split/efficientnet-lite0/tail"
EXPERT = {OPTIONS_HEADER: '{"expert": "efficientnet-lite0-classifier"}'}


def _refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_edge_server_runs_the_whole_model(make_app, connect, cat):
    http = connect(make_app(role="edge", name="edge"))
    answer = await http.post(INVOKE, content=cat, headers={"Content-Type": "image/jpeg"})
    report = answer.json()["report"]
    assert "cat" in answer.json()["output"]["text"]
    assert (report["arm"], report["nodes"]) == ("edge-only (original image)", ["edge"])
    assert answer.headers["server-timing"].startswith("app;dur=")


async def test_a_device_without_a_peer_is_alone(make_app, connect):
    decision = await connect(make_app()).post(DECIDE, json={"image": FACTS})
    assert decision.json()["arm"]["kind"] == "device-only"
    assert "no edge peer" in decision.json()["reason"]


async def test_a_decision_is_made_without_the_images_bytes(make_app, connect, tmp_path, cat):
    (tmp_path / "cat.jpg").write_bytes(cat)
    http = connect(make_app(camera=tmp_path, limits={"pixels": 1_000_000, "body_bytes": 200_000}))
    assert (await http.post(DECIDE, json={"camera": "cat.jpg"})).status_code == 200
    raw = await http.post(DECIDE, content=cat, headers={"Content-Type": "image/jpeg"})
    _refused(raw, 415, "unsupported_media_type")
    for body, status, code in (
        ({}, 422, "image_missing"),
        ({"camera": "cat.jpg", "image": FACTS}, 422, "two_pictures"),
        ({"camera": "dog.jpg"}, 404, "unknown_photograph"),
        ({"image_base64": "AAAA"}, 422, "invalid_body"),
        ({"image": {**FACTS, "width": 0}}, 422, "invalid_body"),
        ({"image": {**FACTS, "mime": "image/gif"}}, 422, "invalid_body"),
        ({"image": {**FACTS, "width": 20_000}}, 413, "too_many_pixels"),
        ({"image": {**FACTS, "size_bytes": 200_001}}, 413, "body_too_large"),
        ({"image": FACTS, "args": {"colour": "red"}}, 422, "unknown_argument"),
        ({"image": FACTS, "expert": "nobody"}, 404, "unknown_expert"),
    ):
        _refused(await http.post(DECIDE, json=body), status, code)


@pytest.mark.parametrize("role", ["edge", "device"])
async def test_an_arm_that_a_node_cannot_take(make_app, connect, cat, role):
    options = json.dumps({"arm": {"kind": "co-inference", "point": 3}})
    headers = {"Content-Type": "image/jpeg", OPTIONS_HEADER: options}
    answer = await connect(make_app(role=role)).post(INVOKE, content=cat, headers=headers)
    _refused(answer, 422, "arm_not_possible")


async def test_the_tail_route(make_app, connect, operations, cat):
    _, frame = operations.run("head", {"point": 4, "ticket": "t"}, cat)
    http = connect(make_app(role="edge"))
    headers = {"Content-Type": FRAME_MEDIA_TYPE, **EXPERT}
    answer = await http.post(TAIL, content=frame, headers=headers)
    assert "cat" in answer.json()["output"]["text"]
    assert answer.json()["expert"] == "efficientnet-lite0-classifier"
    _refused(await http.post(TAIL, content=frame[:-1], headers=headers), 422, "frame_checksum")
    _refused(await http.get(TAIL), 405, "method_not_allowed")
    headers = {"Content-Type": "text/plain", **EXPERT}
    _refused(await http.post(TAIL, content=frame, headers=headers), 415, "unsupported_media_type")
    headers = {"Content-Type": FRAME_MEDIA_TYPE}
    _refused(await http.post(TAIL, content=frame, headers=headers), 422, "expert_missing")


async def test_lists_and_models(make_app, connect, tmp_path, cat):
    (tmp_path / "cat.jpg").write_bytes(cat)
    http = connect(make_app(camera=tmp_path, name="yard"))
    assert (await http.get("/v1/sensors")).json()[0]["items"] == ["cat.jpg"]
    cards = {card["id"]: card for card in (await http.get("/v1/tools")).json()}
    assert cards["image-classification"]["schema"]["required"] == ["image"]
    assert not cards["pose-detection"]["available"]
    model = (await http.get("/v2/models/efficientnet-lite0")).json()
    assert model["partition_points"] == 19
    assert (await http.get("/v2/models")).json() == [model]
    assert (await http.get("/v1/profile")).json()["node"] == "yard"
    assert (await http.get("/v2/health/live")).json() == {"live": True}
    _refused(await http.get("/v2/health/ready"), 503, "loading")
    assert (await connect(make_app()).get("/v1/sensors")).json() == []


async def test_a_parameter_of_another_type_is_a_problem(make_app, connect):
    answer = await connect(make_app()).get("/v1/profile?peers=perhaps")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_parameter"
    assert answer.json()["detail"].startswith("peers: ")


async def test_a_camera_image_and_two_images_at_once(make_app, connect, tmp_path, cat):
    (tmp_path / "cat.jpg").write_bytes(cat)
    app = make_app(camera=tmp_path, limits={"body_bytes": len(cat)})
    answer = await connect(app).post(INVOKE, json={"camera": "cat.jpg"})
    assert answer.json()["report"]["arm"] == "device-only"
    both = {"camera": "cat.jpg", "image_base64": "AAAA"}
    _refused(await connect(app).post(INVOKE, json=both), 422, "two_pictures")


async def test_arguments_are_checked_against_the_card(make_app, connect, cat):
    http = connect(make_app())
    path = "/v1/tools/visual-question-answering:invoke"
    headers = {"Content-Type": "image/jpeg"}

    async def ask(question: str) -> httpx.Response:
        options = {OPTIONS_HEADER: json.dumps({"args": {"question": question}})}
        return await http.post(path, content=cat, headers=headers | options)

    assert (await ask("is it a cat?")).json()["output"]["answer"] == "yes"
    assert (await ask("how many cats?")).json()["status"] == "refused"
    _refused(await ask("x" * 301), 422, "argument_too_long")
    _refused(await http.post(path, content=cat, headers=headers), 422, "argument_missing")


async def test_keys_and_scopes_are_required(make_app, connect):
    key, sha256 = new_key()
    http = connect(make_app(keys=[{"name": "me", "sha256": sha256, "scopes": ["infer"]}]))
    _refused(await http.get("/v1/tools"), 401, "key_missing")
    headers = {"Authorization": f"Bearer {key}"}
    assert (await http.get("/v1/tools", headers=headers)).status_code == 200
    _refused(await http.get("/metrics", headers=headers), 403, "scope_missing")
    described = (await http.get("/openapi.json")).json()
    assert described["paths"]["/v1/tools"]["get"]["security"] == [{"key": []}]


async def test_work_is_rejected_while_full_or_stopping(make_app, connect):
    app = make_app(limits={"concurrency": 1})
    node, http = app.state.node, connect(app)
    node.warm.set()
    meter = node.workers.worker("efficientnet-lite0").meter
    meter.served(2.5)
    node.requests.take("127.0.0.1", usual_s=lambda: 0)
    answer = await http.get("/v1/tools")
    _refused(answer, 429, "overloaded")
    assert answer.headers["retry-after"] == "3"
    assert (await http.get("/v2/health/ready")).json() == {"ready": True}
    node.requests.free("127.0.0.1")
    node.draining = True
    _refused(await http.get("/v1/tools"), 503, "draining")
    _refused(await http.get("/v2/health/ready"), 503, "draining")


async def test_a_defect_shows_no_traceback_to_the_caller(make_app, connect, cat, caplog):
    app = make_app()
    app.state.node.workers.worker("efficientnet-lite0").failures["whole"] = RuntimeError(
        "/secret/path"
    )
    with caplog.at_level(logging.ERROR):
        answer = await connect(app).post(
            INVOKE, content=cat, headers={"Content-Type": "image/jpeg"}
        )
    _refused(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert answer.json()["request_id"] in caplog.text


async def test_harmless_request_ids_are_kept(make_app, connect):
    http = connect(make_app())
    for given, accepted in {"abc-1": True, "a b": False, "x" * 65: False}.items():
        answer = await http.get("/v2/health/live", headers={"Edgewright-Request-Id": given})
        assert (answer.headers["edgewright-request-id"] == given) is accepted


async def test_metrics_know_routes_not_paths(make_app, connect):
    http = connect(make_app())
    await http.get("/v2/models/nothing-of-the-kind")
    await http.get("/nothing")
    text = (await http.get("/metrics")).text
    assert 'route="/v2/models/{model}",status="404"' in text
    assert 'route="other",status="404"' in text
    assert "nothing-of-the-kind" not in text


async def test_the_description_names_every_route_and_its_errors(make_app, connect):
    described = (await connect(make_app()).get("/openapi.json")).json()
    assert set(described["paths"]) == {
        "/metrics",
        "/v1/artifacts",
        "/v1/artifacts/{digest}",
        "/v1/moods/{card}/labels",
        "/v1/moods/{card}/network",
        "/v1/moods/{card}/round",
        "/v1/probe",
        "/v1/profile",
        "/v1/sensors",
        "/v1/sensors/{sensor}/read",
        "/v1/split/{model}/tail",
        "/v1/tools",
        "/v1/tools/{card}:decide",
        "/v1/tools/{card}:invoke",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models",
        "/v2/models/{model}",
        "/v2/models/{model}/infer",
        "/v2/models/{model}/ready",
        "/v2/models/{model}/versions/{version}",
        "/v2/models/{model}/versions/{version}/infer",
        "/v2/models/{model}/versions/{version}/ready",
    }
    responses = described["paths"]["/v1/split/{model}/tail"]["post"]["responses"]
    assert {"200", "401", "403", "404", "413", "415", "422", "429"} <= set(responses)
    assert "application/problem+json" in responses["422"]["content"]
    assert "HTTPValidationError" not in json.dumps(described)
