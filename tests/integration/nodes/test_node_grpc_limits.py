"""Limits of a node over gRPC: long messages, slow clients, silent and too many connections."""

import asyncio
import socket
import time
from contextlib import ExitStack, suppress

import grpc
import httpx
import numpy as np
import pytest

from edgewright.edge_runtime.grpc_api.messages import SERVICE
from edgewright.tools.nodes.launch import launch_node
from grpc_calls import LIMITS, SETTINGS, SHAPE, call, inference, refused

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def node():
    with launch_node({**SETTINGS, "limits": LIMITS}) as node:
        yield node


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


async def test_a_message_that_is_too_long_is_refused(node, values):
    long = np.repeat(values, 8, axis=0)
    assert (await refused(node, "ModelInfer", **inference(long)))[0] == "RESOURCE_EXHAUSTED"


async def test_a_compressed_message_is_refused_before_it_is_unpacked(node):
    channel = grpc.aio.insecure_channel(node.grpc, compression=grpc.Compression.Gzip)
    bomb = {"channel": channel, "model_name": "a" * 100_000_000}
    assert (await refused(node, "ModelInfer", **bomb))[0] == "UNIMPLEMENTED"


async def test_slow_uploads_end_and_share_their_places_with_http(node, values):
    async def slow():
        await asyncio.sleep(30)
        yield b""

    async with grpc.aio.insecure_channel(node.grpc) as channel:
        method = channel.stream_unary(f"/{SERVICE}/ModelInfer")
        running = [method(slow(), timeout=30) for _ in range(2)]
        await asyncio.sleep(0.3)
        # At once, so that both meet the same uploads on a machine of any speed.
        async with httpx.AsyncClient(base_url=node.url) as http:
            answer, over_grpc = await asyncio.gather(
                http.get("/v2"), refused(node, "ServerMetadata")
            )
        assert (answer.status_code, answer.json()["code"]) == (429, "overloaded")
        assert over_grpc == ("RESOURCE_EXHAUSTED", "overloaded")
        for one in running:
            assert await one.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            trailers = dict(list(await one.trailing_metadata()))
            assert trailers["edgewright-code"] == "upload_too_slow"
    assert (await call(node, "ModelInfer", **inference(values))).outputs


async def test_a_caller_that_leaves_gives_its_place_back(node):
    async def slow():
        await asyncio.sleep(30)
        yield b""

    for _ in range(6):
        async with grpc.aio.insecure_channel(node.grpc) as channel:
            one = channel.stream_unary(f"/{SERVICE}/ModelInfer")(slow(), timeout=30)
            await asyncio.sleep(0.1)
            one.cancel()
    await asyncio.sleep(0.2)
    assert (await call(node, "ServerMetadata")).name == "edgewright"


def frame(kind, flags, stream, payload=b""):
    length = len(payload).to_bytes(3, "big")
    return length + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def call_without_room(method, authority):
    """Return a call, in HTTP/2's own frames, of a client that has no room for a response."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{SERVICE}/{method}",
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
    }
    head = b"".join(
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
    window = (4).to_bytes(2, "big") + (0).to_bytes(4, "big")
    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, window)
    return begin + frame(1, 4, 1, head) + frame(0, 1, 1, bytes(5))


async def test_slow_readers_take_their_own_places_until_they_are_closed():
    limits = {"concurrency": 2, "send_s": 2.0, "send_bytes_per_s": 1_000_000}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        readers = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(call_without_room("ServerMetadata", node.grpc))
            readers.append((reader, writer))
        await asyncio.sleep(0.5)
        assert await refused(node, "ServerMetadata") == ("RESOURCE_EXHAUSTED", "overloaded")
        other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(base_url=node.url, transport=other) as http:
            assert (await http.get("/v2")).status_code == 200
        for reader, writer in readers:
            await asyncio.wait_for(reader.read(), 60)
            writer.close()
        assert (await call(node, "ServerMetadata")).name == "edgewright"


def test_a_silent_connection_is_closed(node):
    host, _, port = node.grpc.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as silent:
        began = time.monotonic()
        while silent.recv(1024):
            pass
        assert time.monotonic() - began < 10 * LIMITS["head_s"]


#: How a client of HTTP/2 begins, with empty settings.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("begun", [b"", PREFACE], ids=["silent", "begun"])
async def test_idle_connections_shut_nobody_out_and_are_closed(begun):
    limits = {"connections": 60, "connections_per_address": 20, "head_s": 2.0}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        with ExitStack() as stack:
            idle = []
            for number in range(200):
                one = stack.enter_context(socket.socket())
                one.bind((f"127.0.0.{2 + number % 19}", 0))
                one.connect((host, int(port)))
                with suppress(OSError):  # closed already
                    one.sendall(begun)
                idle.append(one)
            for _ in range(5):
                assert (await call(node, "ServerLive")).live
            for one in idle:
                one.settimeout(20)
                with suppress(ConnectionError):
                    while await asyncio.to_thread(one.recv, 1024):
                        pass
        assert (await call(node, "ServerLive")).live


async def test_a_connection_with_a_call_is_neither_late_nor_replaced():
    limits = {"connections": 4, "connections_per_address": 4, "head_s": 2.0}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        async with grpc.aio.insecure_channel(node.grpc) as channel:
            slow = channel.stream_unary(
                f"/{SERVICE}/ModelInfer", request_serializer=lambda data: data
            )(_slowly(6.0))
            await asyncio.sleep(1.0)
            with ExitStack() as stack:
                for number in range(30):
                    one = stack.enter_context(socket.socket())
                    one.bind((f"127.0.0.{2 + number % 19}", 0))
                    one.connect((host, int(port)))
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await slow
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def _slowly(seconds):
    await asyncio.sleep(seconds)
    yield b"no message"


async def test_connections_beyond_the_limit_are_closed():
    limits = {"connections": 3, "head_s": 20.0}
    async with launch_node({**SETTINGS, "preload": [], "limits": limits}) as node:
        host, _, port = node.grpc.rpartition(":")
        silent = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        # The server's own first frame goes to those that it keeps.
        first = await asyncio.gather(
            *(asyncio.wait_for(reader.read(1024), 15) for reader, _ in silent),
            return_exceptions=True,
        )
        assert sum(isinstance(one, bytes) and len(one) > 0 for one in first) == 3
        for _, writer in silent:
            writer.close()
        for _ in range(50):
            await asyncio.sleep(0.1)
            with suppress(grpc.aio.AioRpcError):
                assert (await call(node, "ServerLive")).live
                break
        else:
            raise AssertionError("places of closed connections stay taken")
