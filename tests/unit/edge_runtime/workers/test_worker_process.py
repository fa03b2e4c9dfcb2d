"""The main loop of a worker process, here in a thread."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from edgewright.edge_runtime.workers import wire
from edgewright.edge_runtime.workers.process import serve
from edgewright.edge_runtime.workers.settings import Operations
from edgewright.tools.errors import RefusedError, UnavailableError

LOOPS = (asyncio.new_event_loop, uvloop.new_event_loop)


class Echo:
    def describe(self) -> dict[str, Any]:
        return {"revision": "abc"}

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        if operation == "refuse":
            raise RefusedError("cannot know that")
        if operation == "nan":
            return {"output": float("nan")}, b""
        return {"operation": operation, **parameters}, blob[::-1]


class Session:
    def __init__(self, load: Callable[[], Operations]) -> None:
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(5)
        self._thread = threading.Thread(target=serve, args=(theirs, load))
        self._thread.start()
        self._stream = self.ours.makefile("rb")
        self.hello, _ = wire.receive(self._stream)

    def ask(self, operation: str, blob: bytes = b"") -> tuple[dict[str, Any], bytes]:
        header = {"operation": operation, "parameters": {"x": 1}}
        self.ours.sendall(wire.pack(header, blob))
        return wire.receive(self._stream)

    def close(self) -> None:
        self._stream.close()
        self.ours.close()
        self._thread.join(5)
        assert not self._thread.is_alive()


def test_answers_until_the_node_goes() -> None:
    session = Session(Echo)
    assert session.hello == {"revision": "abc"}
    assert session.ask("echo", b"abc") == ({"operation": "echo", "x": 1}, b"cba")
    big = bytes(range(256)) * 8000
    assert session.ask("echo", big)[1] == big[::-1]
    session.close()


def test_errors_are_sent_and_do_not_end_it() -> None:
    session = Session(Echo)
    assert session.ask("refuse")[0]["error"]["code"] == "refused"
    assert session.ask("nan")[0]["error"]["code"] == "output_not_finite"
    assert session.ask("echo")[0]["operation"] == "echo"
    session.close()


def test_a_model_that_cannot_be_loaded_says_why() -> None:
    def load() -> Operations:
        raise UnavailableError("no weights", code="model_missing")

    session = Session(load)
    assert session.hello["error"]["code"] == "model_missing"
    session.close()


def test_a_node_that_goes_in_the_middle_of_a_message_ends_it() -> None:
    session = Session(Echo)
    session.ours.sendall(wire.pack({"operation": "echo", "parameters": {}}, b"abc")[:9])
    session.close()


async def test_the_node_reads_what_the_worker_writes_in_whatever_parts_it_arrives() -> None:
    ours, theirs = socket.socketpair()
    channel = await wire.Channel.over(ours)
    for message in (wire.pack({"a": "ü"}, b"\x00\x01"), wire.pack({}, bytes(3_000_000))):
        reading = asyncio.create_task(channel.receive())
        for part in (message[:3], message[3:9], message[9:]):
            await asyncio.to_thread(theirs.sendall, part)
        header, blob = await reading
        assert wire.pack(header, blob) == message
    channel.close()
    theirs.close()


async def test_the_node_learns_of_a_lost_worker_before_during_and_after_it_waits() -> None:
    ours, theirs = socket.socketpair()
    channel = await wire.Channel.over(ours)
    theirs.sendall(wire.pack({}, b"last"))
    theirs.close()
    await asyncio.sleep(0.05)
    assert (await channel.receive())[1] == b"last"
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await channel.receive()
    ours, theirs = socket.socketpair()
    channel = await wire.Channel.over(ours)
    reading = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    theirs.sendall(wire.pack({}, b"cut")[:9])
    theirs.close()
    with pytest.raises(ConnectionError):
        await reading


@pytest.mark.parametrize("loop", LOOPS)
def test_sending_to_a_process_that_ended_is_a_lost_connection(loop):
    async def send() -> None:
        ours, theirs = socket.socketpair()
        channel = await wire.Channel.over(ours)
        theirs.close()
        with pytest.raises(ConnectionError):
            await channel.receive()
        await asyncio.sleep(0.01)
        with pytest.raises(ConnectionError, match="the worker process ended"):
            channel.send(wire.pack({"operation": "whole"}, b""))

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(send())
