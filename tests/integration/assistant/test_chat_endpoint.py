"""The chat-model planner against a scripted OpenAI-compatible server on loopback.

The server tests the plumbing, not the quality of any model.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.cli.main import app
from edgewright.tools.cards import CardRegistry
from edgewright.tools.nodes.launch import NodeProcess, launch_node
from edgewright.tools.settings import ChatModelSettings

Endpoint = Callable[..., AbstractContextManager[tuple[str, list[dict[str, Any]]]]]

GOOD = {
    "tasks": [{"id": "t1", "tool": "image-to-text", "args": [], "depends_on": []}],
    "confidence": 0.9,
    "reason": "",
}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))


def completion(text: str) -> str:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


def plan(url: str, timeout_s: float = 5) -> Plan:
    settings = ChatModelSettings(model="scripted", base_url=url, api_key="k", timeout_s=timeout_s)
    planner = make_planner(CardRegistry.builtin(), chat=settings)
    return planner.plan(PlanRequest(text="Describe this picture."))


def test_structured_output_is_requested_and_used(endpoint: Endpoint) -> None:
    with endpoint([(200, completion(json.dumps(GOOD)), 0)]) as (url, requests):
        result = plan(url)
    assert result.planner == "chat-model"
    assert [task.tool for task in result.tasks] == ["image-to-text"]
    assert "json_schema" in json.dumps(requests[0]["response_format"])


def test_an_endpoint_without_structured_output_gets_a_plain_request(endpoint: Endpoint) -> None:
    fenced = completion(f"Sure!\n```json\n{json.dumps(GOOD)}\n```")
    with endpoint([(400, '{"error": {"message": "?"}}', 0), (200, fenced, 0)]) as (url, requests):
        assert plan(url).planner == "chat-model"
    assert "response_format" not in requests[1]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(200, completion("I am a teapot."), 0)] * 2, "not a JSON object"),
        ([(200, "<html>", 0)] * 2, "chat"),
        ([(200, "{}", 0)] * 2, "not a JSON object"),
        ([(200, "[" * 900_000, 0)] * 2, "chat"),
        ([(200, completion("{" * 900_000), 0)] * 2, "not a JSON object"),
        ([(200, completion('{"a":' * 100_000), 0)] * 2, "not a JSON object"),
        ([(200, completion("x" * 2_000_000), 0)], "more than 1000000 bytes"),
        ([(500, "x" * 2_000_000, 0)], "more than 1000000 bytes"),
        ([(307, "{}", 0)], "status 307"),
        ([(500, "{}", 0)], "status 500"),
        ([(401, "{}", 0)], "OPENAI_API_KEY"),
    ],
)
def test_nonsense_and_refusals_give_way_to_the_embedded_planner(
    endpoint: Endpoint, answers: list[tuple[int, str, float]], why: str
) -> None:
    with endpoint(list(answers)) as (url, _):
        result = plan(url)
    assert result.planner == "embedded"
    assert [task.tool for task in result.tasks] == ["image-to-text"]
    assert why in result.reason


def test_a_slow_endpoint_costs_no_more_than_its_time(endpoint: Endpoint) -> None:
    plan("http://127.0.0.1:9/v1")  # so that the fallback has already fitted its heads
    with endpoint([(200, completion(json.dumps(GOOD)), 10)]) as (url, _):
        begin = time.monotonic()
        result = plan(url, timeout_s=0.5)
        took_s = time.monotonic() - begin
    assert "did not answer within 0.5 s" in result.reason
    assert took_s < 10
    assert result.planner == "embedded"


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A device with a camera, whose sensors a planner can be told."""
    camera = tmp_path_factory.mktemp("camera")
    Image.new("RGB", (8, 6), "teal").save(camera / "gate.png")
    config = {"name": "yard", "role": "device", "port": 0, "camera": str(camera), "preload": []}
    with launch_node(config) as node:
        yield node


@pytest.mark.parametrize("image", [None, "camera:gate.png"])
def test_plan_and_ask_put_the_same_question_to_the_planner(
    endpoint: Endpoint, device: NodeProcess, monkeypatch: pytest.MonkeyPatch, image: str | None
) -> None:
    question = "Describe the picture from the camera."
    options = ["--json", "--node", device.url, *(["--image", image] if image else [])]
    answers = [(200, completion(json.dumps(GOOD)), 0.0)] * 2
    with endpoint(answers) as (url, asked):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("EDGEWRIGHT_CHAT_MODEL", "scripted")
        planned = CliRunner().invoke(app, ["plan", question, *options])
        # Whatever the responder asks the endpoint after that is answered with an error.
        answered = CliRunner().invoke(app, ["ask", question, *options])
    assert json.loads(planned.stdout) == json.loads(answered.stdout)["plan"]
    assert asked[0]["messages"] == asked[1]["messages"]
    assert '"camera"' in str(asked[0]["messages"])


def test_no_connection_to_an_endpoint_is_left_open(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[openai.OpenAI] = []

    class Recorded(openai.OpenAI):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            opened.append(self)

    monkeypatch.setattr(openai, "OpenAI", Recorded)
    with endpoint([(200, completion(json.dumps(GOOD)), 0)]) as (url, _):
        assert plan(url).planner == "chat-model"
    plan("http://127.0.0.1:9/v1")
    assert [client.is_closed() for client in opened] == [True, True]


def test_a_dead_endpoint_is_named() -> None:
    result = plan("http://127.0.0.1:9/v1")
    assert result.planner == "embedded"
    assert "cannot be reached" in result.reason


def test_a_message_in_parts_is_joined(endpoint: Endpoint) -> None:
    body = json.loads(completion(""))
    text = json.dumps(GOOD)
    body["choices"][0]["message"]["content"] = [
        {"type": "text", "text": text[:9]}, {"type": "image"}, {"type": "text", "text": text[9:]}
    ]  # fmt: skip
    with endpoint([(200, json.dumps(body), 0)]) as (url, _):
        assert plan(url).planner == "chat-model"


@contextmanager
def raw_endpoint(head: bytes, chunk: bytes, status: int = 200) -> Iterator[tuple[str, list[int]]]:
    """Serve a response whose body never ends, if it has any; also yield the bytes of it."""
    sent = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = True
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 %d OK\r\n" % status + head + b"\r\n")
                while chunk and sent[0] < 200_000_000:
                    self.wfile.write(chunk)
                    sent[0] += len(chunk)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", sent
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        (b"Content-Type: application/json\r\n", b" " * 65_536),
        (b"Content-Encoding: gzip\r\n", gzip.compress(bytes(10_000_000))),
        (b"Content-Encoding: deflate\r\n", gzip.compress(bytes(10_000_000))),
    ],
)
def test_an_endless_or_compressed_body_is_not_read(head: bytes, chunk: bytes) -> None:
    with raw_endpoint(head, chunk) as (url, sent):
        started = time.monotonic()
        result = plan(url, timeout_s=20)
        assert time.monotonic() - started < 15
    assert result.planner == "embedded"
    assert "not used" in result.reason
    assert sent[0] < 50_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(endpoint: Endpoint, status: int) -> None:
    with endpoint([(200, completion(json.dumps(GOOD)), 0)]) as (elsewhere, requests):
        head = b"Location: " + elsewhere.encode() + b"/chat/completions\r\nContent-Length: 0\r\n"
        with raw_endpoint(head, b"", status=status) as (url, _):
            result = plan(url)
    assert result.planner == "embedded"
    assert requests == []


@pytest.mark.parametrize(
    "text",
    [
        "{" * 400_000, '{"a":' * 80_000, "[" * 400_000, '{"a": "' + "x" * 400_000,
        '{"a": 1' + "0" * 400_000 + "}", "{ " * 200_000, '{"tasks": [' * 40_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_costly_to_parse_takes_no_longer(endpoint: Endpoint, text: str) -> None:
    answers = [(200, completion(text), 0)] * 2
    plan("http://127.0.0.1:9/v1")  # the embedded planner is loaded
    with endpoint(answers) as (url, _):
        began = time.process_time()
        result = plan(url, timeout_s=20)
        assert time.process_time() - began < 5
    assert result.planner == "embedded"
