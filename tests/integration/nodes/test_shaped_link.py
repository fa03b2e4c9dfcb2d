"""The shaped link holds rate and delay, and breaks connections on request."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edgewright.tools.nodes.shaped_link import ShapedLink

pytestmark = pytest.mark.enable_socket


@asynccontextmanager
async def echo_server() -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve responses with the number of bytes that each length-prefixed message requests."""
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(4), "big")
                back = int.from_bytes(await reader.readexactly(4), "big")
                received.append(await reader.readexactly(size))
                writer.write(b"r" * back)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            received.append(getattr(error, "partial", b""))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received


async def exchange(port: int, up: int, down: int = 1) -> float:
    """Send and receive bytes over a new connection; return the milliseconds taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.perf_counter()
    writer.write(up.to_bytes(4, "big") + down.to_bytes(4, "big") + b"x" * up)
    try:
        await writer.drain()
        await reader.readexactly(down)
        return (time.perf_counter() - start) * 1000
    finally:
        writer.close()


async def quickest(port: int, up: int, down: int = 1) -> float:
    """Return the shortest of three exchanges, since a busy machine only adds time."""
    return min([await exchange(port, up, down) for _ in range(3)])


def assert_held(took_ms: float, expected_ms: float) -> None:
    """No faster than the link allows, within a tick; a busy machine adds more than an idle link."""
    assert 0.9 * expected_ms - 1 <= took_ms <= 2 * expected_ms + 200


@pytest.mark.parametrize(
    ("rate", "up", "down"),
    [(50, 20_000, 1), (100, 40_000, 1), (1000, 200_000, 1), (1000, 20_000, 1), (200, 1, 40_000)],
)
async def test_holds_the_rate_in_both_directions(rate: float, up: int, down: int) -> None:
    async with (
        echo_server() as (target, _),
        ShapedLink("127.0.0.1", target, rate_kb_per_s=rate) as link,
    ):
        assert_held(await quickest(link.port, up, down), (up + down + 8) / rate)


async def test_delay_is_added_each_way() -> None:
    async with echo_server() as (target, _), ShapedLink("127.0.0.1", target, delay_ms=40) as link:
        assert 80 <= await quickest(link.port, 1000) < 300


async def test_the_rate_can_be_changed() -> None:
    async with (
        echo_server() as (target, _),
        ShapedLink("127.0.0.1", target, rate_kb_per_s=50) as link,
    ):
        slow_ms = await exchange(link.port, 10_000)
        link.set_rate(None)
        fast_ms = await quickest(link.port, 10_000)
    assert slow_ms > 180
    assert fast_ms < slow_ms / 2


async def test_a_change_of_the_rate_affects_transfers_in_progress() -> None:
    took_ms = []
    async with echo_server() as (target, _), ShapedLink("127.0.0.1", target) as link:
        for _ in range(3):  # a busy machine only adds time
            link.set_rate(1)
            under_way = asyncio.create_task(exchange(link.port, 2000))
            await asyncio.sleep(0.1)
            assert not under_way.done()
            link.set_rate(None)
            took_ms.append(await under_way)
    assert min(took_ms) < 1000  # at the first rate, two seconds


@pytest.mark.parametrize("n_bytes", [0, 1, 1460, 12_345])
async def test_cut_breaks_both_sides_once(n_bytes: int) -> None:
    async with echo_server() as (target, received), ShapedLink("127.0.0.1", target) as link:
        link.cut_after(n_bytes)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await exchange(link.port, 20_000)
        async with asyncio.timeout(2):
            while not received:
                await asyncio.sleep(0.01)
        assert len(received[0]) < 20_000
        received.clear()
        await exchange(link.port, 20_000)
    assert len(received[0]) == 20_000


async def test_stall_holds_bytes_back_until_released() -> None:
    async with echo_server() as (target, _), ShapedLink("127.0.0.1", target) as link:
        link.stall(True)
        waiting = asyncio.create_task(exchange(link.port, 1000))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        link.stall(False)
        assert await waiting > 150


async def test_refuse_breaks_open_connections_and_new_ones() -> None:
    async with (
        echo_server() as (target, _),
        ShapedLink("127.0.0.1", target, rate_kb_per_s=5) as link,
    ):
        under_way = asyncio.create_task(exchange(link.port, 20_000))
        await asyncio.sleep(0.2)
        link.refuse(True)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await under_way
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await exchange(link.port, 10)
        link.refuse(False)
        link.set_rate(None)
        assert await exchange(link.port, 10) > 0


async def test_a_target_that_is_not_there_looks_like_a_reset() -> None:
    async with echo_server() as (target, _):
        pass
    async with ShapedLink("127.0.0.1", target) as link:
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await exchange(link.port, 10)


async def test_runs_as_a_process() -> None:
    async with echo_server() as (target, _):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edgewright.tools.nodes.shaped_link"),
            *("--target", f"127.0.0.1:{target}", "--rate", "100"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert_held(await quickest(ready["port"], 20_000), 200)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0
