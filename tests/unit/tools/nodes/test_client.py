"""The node client: what it sends, what it counts, and how failures are raised."""

import asyncio
import io
import json

import httpx
import pytest
from PIL import Image

from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    REQUEST_ID_HEADER,
    InvokeOptions,
    InvokeResponse,
    TailResult,
)
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.errors import (
    DeadlineError,
    InputError,
    LinkError,
    OverloadedError,
    UnavailableError,
)
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE, NodeClient
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.tracing import identified

RESULT = TailResult(output={"text": "cat"}, model="m@1", expert="e", stages_ms={"tail": 1.0})


class StubTransport(httpx.AsyncBaseTransport):
    """Reads a request's body chunk by chunk and returns one canned response."""

    def __init__(self, status=200, content=b"", *, headers=None, failure=None, pause_s=0.0):
        self.answer = (status, content, headers or {})
        self.failure = failure
        self.pause_s = pause_s
        self.request = None
        self.body = b""
        self.max_body_bytes = None

    async def handle_async_request(self, request):
        self.request = request
        async for chunk in request.stream:
            self.body += chunk
            if self.max_body_bytes is not None and len(self.body) > self.max_body_bytes:
                raise httpx.WriteError("cut")
        await asyncio.sleep(self.pause_s)
        if self.failure:
            raise self.failure
        status, content, headers = self.answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def _client(transport, **options) -> NodeClient:
    return NodeClient("http://node/", transport=transport, **options)


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_frame_is_sent_raw_and_counted():
    transport = StubTransport(
        content=RESULT.model_dump_json().encode(), headers={"Server-Timing": "db;dur=1, app;dur=7"}
    )
    transfer = Transfer()
    options = InvokeOptions(expert="e", args={"question": "wo ist die Tür?"})
    async with _client(transport, api_key="secret") as client:
        with identified("r1"):
            result = await client.tail("m", b"f" * 10_000, options, transfer=transfer)
    assert result == RESULT
    assert transport.body == b"f" * 10_000
    headers = transport.request.headers
    assert transport.request.url.path == "/v1/split/m/tail"
    assert headers["Content-Type"] == FRAME_MEDIA_TYPE
    assert headers["Content-Length"] == "10000"
    assert "Transfer-Encoding" not in headers
    assert headers["Authorization"] == "Bearer secret"
    assert headers[REQUEST_ID_HEADER] == "r1"
    assert InvokeOptions.model_validate(json.loads(headers[OPTIONS_HEADER])) == options
    assert (transfer.bytes_up, transfer.server_ms) == (10_000, 7.0)
    assert transfer.bytes_down == len(RESULT.model_dump_json())
    assert transfer.link_ms >= 0


@pytest.mark.parametrize("timing", ["", "app", "app;dur=x", "other;dur=5"])
async def test_a_missing_server_timing_counts_as_zero(timing):
    content = RESULT.model_dump_json().encode()
    transfer = Transfer()
    async with _client(StubTransport(content=content, headers={"Server-Timing": timing})) as client:
        await client.tail("m", b"f", InvokeOptions(), transfer=transfer)
    assert transfer.server_ms == 0


async def test_an_interrupted_upload_is_counted_up_to_the_interruption():
    transport = StubTransport()
    transport.max_body_bytes = 9_000
    transfer = Transfer()
    async with _client(transport) as client:
        with pytest.raises(LinkError) as raised:
            await client.tail("m", b"f" * 50_000, InvokeOptions(), transfer=transfer)
    assert raised.value.info().code == "link_broken"
    assert transfer.bytes_up == 8192
    assert transfer.upload_ms > 0
    assert transfer.bytes_down == 0


@pytest.mark.parametrize(
    ("failure", "error", "code"),
    [
        (httpx.ConnectError("no"), LinkError, "link_refused"),
        (httpx.ConnectTimeout("no"), LinkError, "link_refused"),
        (httpx.ReadError("cut"), LinkError, "link_broken"),
        (AttributeError(name="getpeername"), LinkError, "link_broken"),
        (httpx.ReadTimeout("late"), DeadlineError, "deadline_exceeded"),
    ],
)
async def test_link_failures_raise_retryable_errors(failure, error, code):
    async with _client(StubTransport(failure=failure)) as client:
        with pytest.raises(error) as raised:
            await client.tools()
    assert raised.value.info().code == code
    assert raised.value.info().retryable


async def test_a_stalled_node_raises_at_the_deadline():
    async with _client(StubTransport(pause_s=20)) as client:
        with pytest.raises(DeadlineError, match=r"over 0\.05 s"):
            await client.tail("m", b"f", InvokeOptions(deadline_s=0.05))


async def test_a_nodes_problem_is_raised_as_its_error():
    problem = {
        "type": "x",
        "title": "x",
        "status": 429,
        "detail": "full",
        "code": "overloaded",
        "retryable": True,
    }
    transport = StubTransport(429, json.dumps(problem).encode(), headers={"Retry-After": "3"})
    async with _client(transport) as client:
        with pytest.raises(OverloadedError) as raised:
            await client.sensors()
        assert not await client.ready()
    assert raised.value.message == "full"
    assert raised.value.retry_after_s == 3


@pytest.mark.parametrize(("status", "content"), [(404, b"<html>"), (200, b"<html>"), (200, b"{}")])
async def test_a_server_that_is_not_a_node_raises(status, content):
    async with _client(StubTransport(status, content)) as client:
        with pytest.raises(UnavailableError) as raised:
            await client.models()
    assert raised.value.info().code == "not_a_node"


async def test_an_oversized_answer_raises():
    async with _client(StubTransport(content=bytes(16_000_001))) as client:
        with pytest.raises(UnavailableError) as raised:
            await client.profile()
    assert raised.value.info().code == "answer_too_large"


async def test_images_are_sent_raw_with_their_detected_type():
    content = InvokeResponse(status="ok").model_dump_json().encode()
    transport = StubTransport(content=content)
    async with _client(transport) as client:
        await client.invoke("card", InvokeOptions(), _png())
    assert transport.request.headers["Content-Type"] == "image/png"
    assert transport.body == _png()


async def test_data_that_is_not_an_image_is_not_sent():
    transport = StubTransport()
    async with _client(transport) as client:
        with pytest.raises(InputError):
            await client.invoke("card", InvokeOptions(), b"text")
    assert transport.request is None


async def test_a_camera_image_is_named_in_json():
    content = b'{"arm": {"kind": "device-only"}, "reason": "", "forecasts": []}'
    transport = StubTransport(content=content)
    async with _client(transport) as client:
        decision = await client.decide("card", InvokeOptions(camera="cat.jpg"), None)
    assert isinstance(decision, Decision)
    assert transport.request.headers["Content-Type"] == "application/json"
    assert json.loads(transport.body) == {"camera": "cat.jpg"}


async def test_a_decision_is_asked_with_facts_about_the_image():
    content = b'{"arm": {"kind": "device-only"}, "reason": "", "forecasts": []}'
    transport = StubTransport(content=content)
    options = InvokeOptions(args={"question": "is it red?"}, arm=Arm(kind="device-only"))
    async with _client(transport) as client:
        await client.decide("card", options, probe(_png()))
    assert json.loads(transport.body) == {
        "args": {"question": "is it red?"},
        "arm": {"kind": "device-only"},
        "image": {"mime": "image/png", "width": 8, "height": 8, "size_bytes": len(_png())},
    }


async def test_ready_and_profile():
    profile = NodeProfile(node="n", role="edge")
    async with _client(StubTransport(content=profile.model_dump_json().encode())) as client:
        assert await client.profile() == profile
        assert await client.ready()
