"""Labels of moods on a node: who may keep them, what is kept, and how answers change."""

import base64
import json

import httpx
import pytest

from edgewright.cli.demo.moods import write_traffic
from edgewright.edge_runtime.keys import new_key
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.views import MoodLabel
from edgewright.tools.nodes.mood_client import MoodClient
from edgewright.tools.sensing.moods.network import MoodNetwork
from edgewright.tools.sensing.moods.rounds import train

CARD = "mood-from-network-traffic"
LABELS = f"/v1/moods/{CARD}/labels"


@pytest.fixture
def traffic(tmp_path, monkeypatch):
    """Return the capture file of a node whose state is in a folder of the test's."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))
    path = tmp_path / "traffic.pcap"
    write_traffic(path, "tense", 1)
    return path


def _settings(traffic, **rules):
    return {"sensors": [{"name": "flat", "kind": "wifi", "source": str(traffic), **rules}]}


async def test_labels_are_kept_trained_on_and_used_by_the_answer(make_app, traffic, tmp_path):
    transport = httpx.ASGITransport(app=make_app(**_settings(traffic)))
    async with MoodClient("http://localhost", transport=transport) as node:
        before = await node.invoke(CARD, InvokeOptions(), None)
        assert before.output["basis"] == "trained on simulated data"
        for number in range(20):
            mood = ("busy", "bored")[number % 2]
            write_traffic(traffic, ("tense", "sad")[number % 2], number)
            held = await node.label_mood(CARD, MoodLabel(label=mood))
        assert held.labels == {"busy": 10, "bored": 10}
        assert "work" in held.features
        trained = await train(CARD, [node], 20)
        assert (trained.right, trained.tested) == (4, 4)
        write_traffic(traffic, "tense", 99)
        answer = await node.invoke(CARD, InvokeOptions(), None)
        assert answer.output["labels"][0]["label"] == "busy"
        assert answer.output["basis"] == "trained on 16 labels of your own on 1 node"
        assert "simulated" not in answer.output["text"]
        lines = (tmp_path / "home" / "moods" / f"{CARD}.jsonl").read_text().splitlines()
        assert {tuple(sorted(json.loads(line))) for line in lines} == {("features", "label")}
        assert (await node.forget_moods(CARD)).labels == {}
        again = await node.invoke(CARD, InvokeOptions(), None)
        assert again.output["basis"] == "trained on simulated data"


async def test_labels_need_the_scope_and_the_right_to_use_the_sensor(make_app, connect, traffic):
    keys, headers = [], {}
    for name, scopes in (("ann", ["infer"]), ("ben", ["train"]), ("cat", ["train"])):
        key, digest = new_key()
        keys.append({"name": name, "sha256": digest, "scopes": scopes})
        headers[name] = {"Authorization": f"Bearer {key}"}
    http = connect(make_app(**_settings(traffic, use=["cat"]), keys=keys))
    body = {"label": "calm"}
    for name, code in (("ann", "scope_missing"), ("ben", "sensor_forbidden")):
        refused = await http.post(LABELS, json=body, headers=headers[name])
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    assert (await http.get(LABELS, headers=headers["ann"])).status_code == 403
    kept = await http.post(LABELS, json=body, headers=headers["cat"])
    assert kept.json()["labels"] == {"calm": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", LABELS, {}, 422, "invalid_body"),
        ("POST", LABELS, {"label": "CALM!"}, 422, "invalid_label"),
        ("POST", LABELS, {"label": "calm", "args": {"traffic": "x"}}, 422, "unknown_sensor"),
        ("GET", "/v1/moods/object-detection/labels", None, 404, "card_unavailable"),
        ("GET", "/v1/moods/decision-fusion/labels", None, 404, "card_unavailable"),
        ("POST", f"/v1/moods/{CARD}/round", {"network_base64": "??"}, 422, "network_invalid"),
        ("PUT", f"/v1/moods/{CARD}/network", {"network_base64": "AAAA"}, 422, "network_invalid"),
        ("POST", f"/v1/moods/{CARD}/round", None, 404, "no_labels"),
    ],
)
async def test_what_is_wrong_is_named(make_app, connect, traffic, method, path, body, status, code):
    http = connect(make_app(**_settings(traffic)))
    if body is None and method == "POST":
        features = (await http.get(LABELS)).json()["features"]
        network = MoodNetwork.initial(features, ["a", "b"]).to_bytes()
        body = {"network_base64": base64.b64encode(network).decode()}
    answer = await http.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
