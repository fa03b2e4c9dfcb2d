"""The console's files and routes: who is admitted, and what a page learns of a request."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from edgewright.edge_runtime.keys import digest

Connect = Callable[..., httpx.AsyncClient]

KEYS = [
    {"name": name, "sha256": digest(name.encode()), "scopes": ["infer"]} for name in ("ann", "ben")
]
ANN = {"Authorization": "Bearer ann"}


async def events_of(client: httpx.AsyncClient, exchange: str, **options: Any) -> list[Any]:
    response = await client.get(f"/console/api/requests/{exchange}/events", **options)
    lines = response.text.splitlines()
    assert lines[-3:-1] == ["event: end", "data: {}"]
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")][:-1]


async def test_the_page_loads_nothing_from_elsewhere_and_nothing_inline(connect: Connect) -> None:
    page = await connect(keys=KEYS).get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for each in ("<style", "style=", "onclick", "//"):
        assert each not in page.text


async def test_files_are_typed_compressed_and_checked_for_changes(connect: Connect) -> None:
    client = connect(keys=KEYS)
    script = await client.get("/console/app.js", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    plain = await client.get("/console/app.js", headers={"Accept-Encoding": "identity, gzip;q=0.0"})
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(script.headers["content-length"]) < len(plain.content) / 2
    assert script.content == plain.content
    assert script.headers["etag"] != plain.headers["etag"]
    page = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/console/unknown.js")).status_code == 404
    assert (await client.get("/console/..%2Fpages.py")).status_code == 404


async def test_the_chat_page_asks_for_its_few_scripts_at_once(connect: Connect) -> None:
    client = connect(keys=KEYS)
    page = (await client.get("/")).text
    sources: dict[str, str] = {}
    waiting = ["app.js"]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = (await client.get(f"/console/{name}")).text
            waiting += re.findall(r'^import .* from "\./(\w+\.js)";$', sources[name], re.MULTILINE)
    assert {"chat.js", "plan.js", "words.js"} <= {*sources}
    assert not {"network.js", "train.js", "tools.js"} & {*sources}
    preloaded = re.findall(r'rel="modulepreload" href="/console/(\w+\.js)"', page)
    assert sorted([*preloaded, "app.js"]) == sorted(sources)
    assert sum(len(source.encode()) for source in sources.values()) < 60_000


async def test_a_key_is_entered_once_and_its_cookie_is_of_use_for_the_console_alone(
    connect: Connect,
) -> None:
    client = connect(keys=KEYS)
    assert (await client.get("/console/api/conversations")).status_code == 401
    state = (await client.get("/console/state")).json()
    assert (state["keys"], state["signed_in"]) == (True, False)
    wrong = await client.post("/console/api/session", headers={"Authorization": "Bearer no"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "key_unknown")
    assert "set-cookie" not in wrong.headers
    signed = await client.post("/console/api/session", headers=ANN)
    cookie = signed.headers["set-cookie"]
    assert cookie.endswith("; Path=/console; HttpOnly; SameSite=Strict")
    assert "ann" not in cookie
    assert (await client.get("/console/state")).json()["signed_in"] is True
    assert (await client.get("/console/api/conversations")).json() == []
    token = {"Cookie": cookie.partition(";")[0]}
    assert (await client.get("/v1/models", headers=token)).status_code == 401
    await client.delete("/console/api/session")
    assert (await client.get("/console/api/conversations", headers=token)).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_other_sites_are_refused(connect: Connect, headers: dict[str, str]) -> None:
    client = connect(keys=KEYS)
    await client.post("/console/api/session", headers=ANN)
    refused = await client.post("/console/api/requests", headers=headers, json={"text": "what?"})
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")


async def test_a_name_that_was_bound_to_this_machine_is_refused(connect: Connect) -> None:
    refused = await connect().get("/console/api/conversations", headers={"Host": "evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "host_unknown")


async def test_a_request_is_answered_and_followed_from_anywhere(connect: Connect) -> None:
    client = connect()
    asked = await client.post("/console/api/requests", json={"text": " what? "})
    exchange, conversation = asked.json()["exchange"], asked.json()["conversation"]
    assert (asked.status_code, exchange["text"]) == (202, "what?")
    (reply,) = await events_of(client, exchange["id"])
    assert (reply["event"], reply["answer"]) == ("reply", "A cat.")
    assert await events_of(client, exchange["id"], headers={"Last-Event-ID": "1"}) == []
    assert await events_of(client, exchange["id"], params={"after": "0"}) == [reply]
    alone = (await client.get(f"/console/api/requests/{exchange['id']}")).json()
    assert (alone["done"], alone["events"]) == (True, [reply])
    found = (await client.get(f"/console/api/conversations/{conversation}")).json()
    assert found["exchanges"][0]["events"] == [reply]
    assert found["exchanges"][0]["done"]


async def test_a_follow_up_brings_the_earlier_turns(connect: Connect, session: Any) -> None:
    client = connect()
    first = (await client.post("/console/api/requests", json={"text": "what?"})).json()
    await events_of(client, first["exchange"]["id"])
    more = {"text": "why?", "conversation": first["conversation"]}
    second = (await client.post("/console/api/requests", json=more)).json()
    await events_of(client, second["exchange"]["id"])
    assert [turn.request for turn in session.asked[1][2]] == ["what?"]


async def test_conversations_belong_to_their_caller(connect: Connect) -> None:
    client = connect(keys=KEYS)
    asked = await client.post("/console/api/requests", headers=ANN, json={"text": "what?"})
    ben = {"Authorization": "Bearer ben"}
    assert (await client.get("/console/api/conversations", headers=ben)).json() == []
    for path in (
        f"/conversations/{asked.json()['conversation']}",
        f"/requests/{asked.json()['exchange']['id']}/events",
    ):
        assert (await client.get(f"/console/api{path}", headers=ben)).status_code == 404


async def test_a_request_is_stopped_and_says_so(connect: Connect, session: Any) -> None:
    session.wait_s = 60.0
    client = connect()
    asked = (await client.post("/console/api/requests", json={"text": "what?"})).json()
    following = asyncio.create_task(events_of(client, asked["exchange"]["id"]))
    await asyncio.sleep(0.01)
    await client.delete(f"/console/api/requests/{asked['exchange']['id']}")
    (event,) = await following
    assert (event["event"], event["code"], session.cancelled) == ("failed", "stopped", 1)


async def test_an_unexpected_failure_shows_no_traceback(connect: Connect, session: Any) -> None:
    session.reply = RuntimeError("/secret/path")
    client = connect()
    asked = (await client.post("/console/api/requests", json={"text": "what?"})).json()
    (event,) = await events_of(client, asked["exchange"]["id"])
    assert event["code"] == "internal"
    assert "secret" not in event["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": " "}, "request_empty"),
        ({"text": "what?", "images": [{"uri": "/etc/passwd"}]}, "invalid_request"),
        ({"text": "what?", "conversation": "0" * 16}, "unknown_conversation"),
    ],
)
async def test_what_cannot_be_asked_is_refused(connect: Connect, body: Any, code: str) -> None:
    refused = await connect().post("/console/api/requests", json=body)
    assert refused.json()["code"] == code


async def test_only_images_are_stored(connect: Connect) -> None:
    client = connect()
    path = "/console/api/images?name=%3Cb%3E"
    page = {"content": b"<html>", "headers": {"Content-Type": "image/png"}}
    assert (await client.post(path, **page)).json()["code"] == "not_an_image"
    typed = {"content": b"<html>", "headers": {"Content-Type": "text/html"}}
    assert (await client.post(path, **typed)).json()["code"] == "unsupported_media_type"
    assert (await client.get("/console/api/images/..%2F")).status_code in (404, 422)
