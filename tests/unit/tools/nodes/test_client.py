"""The client for nodes: what it sends, what it bills, and how failures come back."""

import asyncio
import io
import json

import httpx
import pytest
from PIL import Image

from edgewright.tools.contracts.arms import Decision
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
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE, NodeClient, Transfer

RESULT = TailResult(output={"text": "cat"}, model="m@1", expert="e", stages_ms={"tail": 1.0})


class Answering(httpx.AsyncBaseTransport):
    """Takes a request's body bit by bit and gives one answer."""

    def __init__(self, status=200, content=b"", *, headers=None, failure=None, pause_s=0.0):
        self.answer = (status, content, headers or {})
        self.failure = failure
        self.pause_s = pause_s
        self.request = None
        self.body = b""
        self.take = None

    async def handle_async_request(self, request):
        self.request = request
        async for chunk in request.stream:
            self.body += chunk
            if self.take is not None and len(self.body) > self.take:
                raise httpx.WriteError("cut")
        await asyncio.sleep(self.pause_s)
        if self.failure:
            raise self.failure
        status, content, headers = self.answer
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def _client(transport, **more) -> NodeClient:
    return NodeClient("http://node/", transport=transport, **more)


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_frame_travels_raw_and_is_billed():
    transport = Answering(
        content=RESULT.model_dump_json().encode(), headers={"Server-Timing": "db;dur=1, app;dur=7"}
    )
    transfer = Transfer()
    options = InvokeOptions(expert="e", args={"question": "wo ist die Tür?"})
    async with _client(transport, api_key="secret") as client:
        result = await client.tail("m", b"f" * 10_000, options, transfer=transfer, request_id="r1")
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
async def test_a_node_that_does_not_say_how_long_it_took(timing):
    content = RESULT.model_dump_json().encode()
    transfer = Transfer()
    async with _client(Answering(content=content, headers={"Server-Timing": timing})) as client:
        await client.tail("m", b"f", InvokeOptions(), transfer=transfer)
    assert transfer.server_ms == 0


async def test_a_cut_upload_is_billed_up_to_the_cut():
    transport = Answering()
    transport.take = 9_000
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
        (httpx.ReadTimeout("late"), DeadlineError, "deadline_exceeded"),
    ],
)
async def test_failures_of_the_link(failure, error, code):
    async with _client(Answering(failure=failure)) as client:
        with pytest.raises(error) as raised:
            await client.tools()
    assert raised.value.info().code == code
    assert raised.value.info().retryable


async def test_a_stalled_node_is_given_up_at_the_deadline():
    async with _client(Answering(pause_s=20)) as client:
        with pytest.raises(DeadlineError, match=r"within 0\.05 s"):
            await client.tail("m", b"f", InvokeOptions(deadline_s=0.05))


async def test_a_nodes_problem_comes_back_as_its_error():
    problem = {
        "type": "x",
        "title": "x",
        "status": 429,
        "detail": "full",
        "code": "overloaded",
        "retryable": True,
    }
    transport = Answering(429, json.dumps(problem).encode(), headers={"Retry-After": "3"})
    async with _client(transport) as client:
        with pytest.raises(OverloadedError) as raised:
            await client.sensors()
        assert not await client.ready()
    assert raised.value.message == "full"
    assert raised.value.retry_after_s == 3


@pytest.mark.parametrize(("status", "content"), [(404, b"<html>"), (200, b"<html>"), (200, b"{}")])
async def test_something_else_at_that_address(status, content):
    async with _client(Answering(status, content)) as client:
        with pytest.raises(UnavailableError) as raised:
            await client.models()
    assert raised.value.info().code == "not_a_node"


async def test_an_answer_without_end():
    async with _client(Answering(content=bytes(16_000_001))) as client:
        with pytest.raises(UnavailableError) as raised:
            await client.profile()
    assert raised.value.info().code == "answer_too_large"


@pytest.mark.parametrize("url", ["nonsense", "ftp://node"])
async def test_an_address_that_is_none(url):
    async with NodeClient(url) as client:
        with pytest.raises(UnavailableError) as raised:
            await client.tools()
    assert raised.value.info().code == "invalid_url"


async def test_pictures_travel_raw_with_the_type_found_in_them():
    content = InvokeResponse(status="ok").model_dump_json().encode()
    transport = Answering(content=content)
    async with _client(transport) as client:
        await client.invoke("card", InvokeOptions(), _png())
    assert transport.request.headers["Content-Type"] == "image/png"
    assert transport.body == _png()


async def test_what_is_no_picture_is_not_even_sent():
    transport = Answering()
    async with _client(transport) as client:
        with pytest.raises(InputError):
            await client.invoke("card", InvokeOptions(), b"text")
    assert transport.request is None


async def test_a_camera_picture_is_named_in_json():
    content = b'{"arm": {"kind": "device-only"}, "reason": "", "forecasts": [], "link": null}'
    transport = Answering(content=content)
    async with _client(transport) as client:
        decision = await client.decide("card", InvokeOptions(camera="cat.jpg"), None)
    assert isinstance(decision, Decision)
    assert transport.request.headers["Content-Type"] == "application/json"
    assert json.loads(transport.body) == {"camera": "cat.jpg"}


async def test_ready_and_profile():
    profile = NodeProfile(node="n", role="edge")
    async with _client(Answering(content=profile.model_dump_json().encode())) as client:
        assert await client.profile() == profile
        assert await client.ready()
