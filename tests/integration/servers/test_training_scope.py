"""A training needs a key with the scope ``train``, whichever interface it is requested through.

With such a key the same words reach the next check, which refuses data that the server does not
offer, so that these tests need no training.
"""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from edgewright.edge_runtime.keys import digest
from edgewright.tools.nodes.launch import NodeProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Json = dict[str, Any]

WORDS = "Train a new classifier on the photos of parts in /etc/ssl/"
REFUSAL = "this key may not train: it needs the scope 'train'"
#: The code of the training's error for each key.
CODES = {"asks": "scope_missing", "trains": "data_not_allowed"}
SECONDS = 120


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def url(home: Path, serve_before: Any, device_node: NodeProcess) -> Iterator[str]:
    """Return the URL of a server with a key that may train and one that may not."""
    scopes = {"asks": ["infer"], "trains": ["infer", "train"]}
    keys = [
        {"name": name, "sha256": digest(name.encode()), "scopes": granted}
        for name, granted in scopes.items()
    ]
    config = home / "serve.yaml"
    config.write_text(json.dumps({"keys": keys}))
    with serve_before(device_node.url, home, "--config", str(config)) as found:
        yield found
    assert not (home / "runs").exists()


@pytest.fixture(params=CODES)
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def http(url: str, key: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=SECONDS) as client:
        yield client


@asynccontextmanager
async def mcp(url: str, key: str, **options: Any) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, read_timeout_seconds=SECONDS, **options) as client:
            yield client
    gc.collect()  # the client leaves the sockets of its streams to it


def check(key: str, results: list[Json], answer: str) -> None:
    """Check what came of the training, and that a caller without the scope can read why."""
    (result,) = results
    assert result["error"]["code"] == CODES[key]
    assert result["status"] == "refused"
    assert (REFUSAL in answer) == (key == "asks")
    assert "Traceback" not in answer


def test_chat_completions(http: httpx.Client, key: str) -> None:
    body: Json = {"model": "edgewright", "messages": [{"role": "user", "content": WORDS}]}
    reply = http.post("/v1/chat/completions", json=body).json()
    check(key, reply["edgewright"]["results"], reply["choices"][0]["message"]["content"])

    stream = http.post("/v1/chat/completions", json={**body, "stream": True}).text
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data")]
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    said = [choice["delta"].get("content") or "" for each in chunks for choice in each["choices"]]
    check(key, chunks[-1]["edgewright"]["results"], "".join(said))


def test_a_training_that_a_later_message_of_a_conversation_requests(
    http: httpx.Client, key: str
) -> None:
    messages = [
        {"role": "user", "content": WORDS},
        {"role": "assistant", "content": "Shall I begin?"},
        {"role": "user", "content": f"Yes. {WORDS}"},
    ]
    body = {"model": "edgewright", "messages": messages}
    reply = http.post("/v1/chat/completions", json=body).json()
    check(key, reply["edgewright"]["results"], reply["choices"][0]["message"]["content"])


def test_responses(http: httpx.Client, key: str) -> None:
    reply = http.post("/v1/responses", json={"model": "edgewright", "input": WORDS}).json()
    answer = reply["output"][0]["content"][0]["text"]
    check(key, reply["edgewright"]["results"], answer)

    asked = {"model": "edgewright", "input": WORDS, "stream": True}
    *_, last = http.post("/v1/responses", json=asked).text.strip().split("\n\n")
    reply = json.loads(last.partition("data: ")[2])["response"]
    check(key, reply["edgewright"]["results"], reply["output"][0]["content"][0]["text"])


async def test_ask_over_mcp(url: str, key: str) -> None:
    async with mcp(url, key) as client:
        reply = (await client.call_tool("ask", {"request": WORDS})).structured_content
    check(key, reply["results"], reply["answer"])


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_train_over_mcp(url: str, key: str, mode: str) -> None:
    async with mcp(url, key, mode=mode) as client:
        arguments = {"purpose": WORDS, "data": "/etc/ssl", "approve": "auto"}
        result = await client.call_tool("train", arguments)
    assert result.is_error
    assert result.structured_content["error"]["code"] == CODES[key]
    assert (REFUSAL in result.content[0].text) == (key == "asks")


async def test_an_answer_to_a_proposal_over_mcp(url: str, key: str) -> None:
    answer = types.ElicitResult(action="accept", content={"decision": "accept"})
    async with mcp(url, key) as client:
        result = await client.call_tool(
            "train",
            {"purpose": WORDS},
            request_state="0" * 12,
            input_responses={"approval": answer},
        )
    code = result.structured_content["error"]["code"]
    assert code == ("scope_missing" if key == "asks" else "unknown_run")


def test_the_consoles_chat(http: httpx.Client, key: str) -> None:
    begun = http.post("/console/api/requests", json={"text": WORDS}).json()["exchange"]
    events = http.get(f"/console/api/requests/{begun['id']}/events").text
    lines = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data")]
    reply = next(each for each in map(json.loads, lines) if each.get("event") == "reply")
    check(key, reply["results"], reply["answer"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"purpose": WORDS, "source": "/etc/ssl"}),
        ("GET", "/0", None),
        ("POST", "/0/decisions", {"type": "accept"}),
        ("POST", "/0/resume", None),
        ("DELETE", "/0", None),
    ],
)
def test_the_consoles_train_page(
    http: httpx.Client, key: str, method: str, path: str, body: Json | None
) -> None:
    answer = http.request(method, f"/console/api/trainings{path}", json=body)
    if key == "trains":
        assert answer.status_code in (200, 202, 404)
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert REFUSAL in answer.json()["detail"]
