"""What callers do to a node's connections, on a real node."""

import asyncio
import os
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

pytestmark = pytest.mark.timeout(120)

LIMITS = {
    "head_s": 1.0,
    "connections": 60,
    "connections_per_address": 20,
    "send_s": 1.0,
    "send_bytes_per_s": 1_000_000,
    "concurrency": 8,
}
#: Until a late connection is closed: the limit, the pause between checks, and a busy machine.
LATE_S = 4.0
GET = b"GET /v1/tools HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "node.log"


@pytest.fixture(scope="module")
def node(log):
    # No model: what is tested happens before any is needed.
    settings = {"role": "edge", "port": 0, "preload": [], "measure": "never", "limits": LIMITS}
    with launch_node(settings, log=log) as started:
        yield started


@contextmanager
def _connections(node, number, *, hosts=("127.0.0.1",), receive_bytes=None):
    """Open connections from several addresses."""
    port = int(node.url.rpartition(":")[2])
    with ExitStack() as stack:
        opened = []
        for index in range(number):
            one = stack.enter_context(socket.socket())
            if receive_bytes:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            one.bind((hosts[index % len(hosts)], 0))
            one.connect(("127.0.0.1", port))
            one.setblocking(False)
            opened.append(one)
        yield opened


def _closed(one: socket.socket) -> bool:
    try:
        while one.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


async def _all_close(opened, within_s=LATE_S):
    deadline = time.monotonic() + within_s
    while not all(map(_closed, opened)):
        assert time.monotonic() < deadline, f"{sum(map(_closed, opened))} of {len(opened)}"
        await asyncio.sleep(0.1)


async def _call(node, path="/v1/tools", host="127.0.0.1", **more):
    transport = httpx.AsyncHTTPTransport(local_address=host)
    async with httpx.AsyncClient(base_url=node.url, timeout=5, transport=transport) as client:
        return await client.get(path, **more)


@pytest.mark.parametrize(
    ("number", "hosts"),
    [(100, ("127.0.0.1",)), (200, tuple(f"127.0.0.{n}" for n in range(2, 21)))],
    ids=["from one address", "from many"],
)
async def test_idle_connections_shut_nobody_out_and_are_closed(node, number, hosts):
    with _connections(node, number, hosts=hosts) as opened:
        for caller in ("127.0.0.1", "127.0.0.2", "127.0.0.99"):
            assert (await _call(node, host=caller)).status_code == 200
        assert psutil.Process(node.pid).num_fds() < LIMITS["connections"] + 40
        await _all_close(opened)
    assert (await _call(node)).status_code == 200


async def test_a_dripping_head_is_closed(node):
    with _connections(node, 5) as opened:
        for one in opened:
            one.sendall(GET)
        deadline = time.monotonic() + LATE_S
        while not all(map(_closed, opened)):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.3)
            for one in opened:
                with suppress(OSError):
                    one.sendall(b"X-a: b\r\n")


async def test_a_head_without_end_is_closed_before_it_takes_memory(node):
    with _connections(node, 1) as (one,):
        one.setblocking(True)
        one.settimeout(5)
        one.sendall(GET)
        with pytest.raises(OSError):
            for _ in range(2000):
                one.sendall(b"X-a: " + b"b" * 10_000 + b"\r\n")


async def test_callers_that_never_read_hold_no_place_and_are_closed(node):
    asked = (GET + b"\r\n") * 8
    hosts = tuple(f"127.0.0.{n}" for n in range(2, 21))
    with _connections(node, 40, hosts=hosts, receive_bytes=4096) as opened:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            for one in opened:
                try:
                    one.send(asked)
                except OSError:
                    continue
            await asyncio.sleep(0.02)
        # Five times as many as there are places.
        for _ in range(5):
            assert (await _call(node, host="127.0.0.99")).status_code == 200
        family = psutil.Process(node.pid)
        deadline = time.monotonic() + 10
        while len(family.net_connections("tcp")) > 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


async def test_a_flood_of_pipelined_requests_closes_its_connection_alone(node):
    with _connections(node, 10) as opened:
        for one in opened:
            one.send((GET + b"\r\n") * 5000)
        began = time.monotonic()
        assert (await _call(node)).status_code == 200
        assert time.monotonic() - began < 10
        await _all_close(opened)


async def test_the_end_of_a_body_that_was_answered_early_is_awaited_for_a_time(node):
    head = b"POST /none HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
    with _connections(node, 1) as (one,):
        one.sendall(head)
        await _all_close([one])


async def test_callers_that_begin_no_handshake_shut_nobody_out(certificate):
    public, private = certificate
    tls = {"certificate": str(public), "private_key": str(private)}
    settings = {"port": 0, "preload": [], "measure": "never", "limits": LIMITS, "tls": tls}
    async with launch_node(settings) as node:
        with _connections(node, 200, hosts=("127.0.0.1", "127.0.0.2")) as opened:
            async with NodeClient(node.url, ca=public) as client:
                assert await client.ready()
            assert psutil.Process(node.pid).num_fds() < LIMITS["connections"] + 40
            await _all_close(opened)


async def test_a_slow_reader_that_reads_gets_everything(node):
    with _connections(node, 1, receive_bytes=4096) as (one,):
        one.setblocking(True)
        one.settimeout(5)
        one.sendall((GET + b"\r\n") * 10)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 10 or not received.endswith(b"]"):
            part = one.recv(1000)
            assert part
            received += part
            await asyncio.sleep(0.002)


async def test_repeated_faults_fill_no_log(node, log):
    await _call(node, "/none")
    before = log.stat().st_size
    async with httpx.AsyncClient(base_url=node.url, timeout=5) as client:
        for _ in range(500):
            assert (await client.get("/none")).status_code == 404
    for _ in range(100):
        with _connections(node, 1) as (one,):
            one.sendall(b"\x00\x01\r\n\r\n")
    assert log.stat().st_size - before < 40_000


@pytest.mark.parametrize("path", ["/v1/tools", "/v1/sensors", "/v1/profile", "/v2/models"])
async def test_a_name_that_resolves_to_a_node_without_keys_is_refused(node, path):
    answer = await _call(node, path, headers={"Host": "photographs.example:8760"})
    assert (answer.status_code, answer.json()["code"]) == (403, "host_unknown")
    for name in ("127.0.0.1:1", "localhost", "[::1]:8760"):
        assert (await _call(node, path, headers={"Host": name})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://photographs.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/probe", "/v1/tools/image-classification:invoke"])
async def test_posts_of_other_sites_are_refused(node, path, headers):
    async with httpx.AsyncClient(base_url=node.url) as client:
        answer = await client.post(path, content=b"x", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        own = {"Origin": node.url, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/v1/probe", content=b"x", headers=own)).status_code == 200


async def test_no_redirect_names_the_callers_host(node):
    for path in ("/v1/tools/", "/v1/sensors/", "/v2/health/live/"):
        answer = await _call(node, path)
        assert answer.status_code == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
async def test_health_answers_head(node, path):
    async with httpx.AsyncClient(base_url=node.url) as client:
        answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_photograph_whose_name_is_not_utf8_is_listed(tmp_path, encoded):
    (tmp_path / "cat.jpg").write_bytes(encoded())
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(encoded())
    settings = {"port": 0, "preload": [], "measure": "never", "camera": str(tmp_path)}
    async with launch_node(settings) as node:
        (camera,) = (await _call(node, "/v1/sensors")).json()
        assert camera["items"] == ["café.jpg", "cat.jpg"]
        body = {"camera": "café.jpg"}
        async with httpx.AsyncClient(base_url=node.url, timeout=60) as client:
            answer = await client.post("/v1/tools/image-classification:invoke", json=body)
        assert answer.json()["status"] == "ok"
