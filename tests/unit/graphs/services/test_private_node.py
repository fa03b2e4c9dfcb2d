"""A private node is started once, on first use, and stopped at the end."""

import asyncio
from threading import Event

import httpx
import pytest

from edgewright.graphs.assistant.planning import plan_request
from edgewright.graphs.services import private_node
from edgewright.graphs.services.private_node import PrivateNode
from edgewright.graphs.services.services import open_services
from edgewright.tools.errors import UnavailableError
from edgewright.tools.nodes import client
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.settings import Settings


class Process:
    """Replaces the node's process."""

    url = "http://node"

    def __init__(self, life: list[str], *, fails: bool) -> None:
        self._life, self._fails = life, fails
        self._ended = Event()

    def __enter__(self) -> "Process":
        if self._ended.wait(0.01) or self._fails:
            raise UnavailableError("no memory", code="node_not_started")
        self._life.append("started")
        return self

    def stop(self) -> None:
        self._ended.set()
        if self._life[-1:] == ["started"]:
            self._life.append("stopped")


@pytest.fixture
def life(monkeypatch):
    """Starts and stops of the node; its first start fails if this contains ``fail``."""
    life: list[str] = []

    def launch(config):
        return Process(life, fails="fail" in life and not life.remove("fail"))

    def connect(url):
        def answer(request):
            return httpx.Response(200, stream=httpx.ByteStream(b"[]"))

        return NodeClient(url, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(private_node, "launch_node", launch)
    monkeypatch.setattr(client, "NodeClient", connect)
    return life


async def test_planning_starts_no_node(life):
    async with open_services(Settings()) as services:
        request = await plan_request(services, "what is it?")
    assert request.sensors == ()
    assert life == []


async def test_concurrent_calls_share_one_node(life):
    async with PrivateNode() as node:
        assert await asyncio.gather(*(node.tools() for _ in range(3))) == [[]] * 3
        assert life == ["started"]
    assert life == ["started", "stopped"]


async def test_a_node_that_did_not_start_is_started_again(life):
    life.append("fail")
    async with PrivateNode() as node:
        with pytest.raises(UnavailableError, match="no memory"):
            await node.tools()
        assert await node.tools() == []
    assert life == ["started", "stopped"]


async def test_it_starts_in_the_background_and_calls_wait(life):
    async with PrivateNode() as node:
        node.start()
        node.start()
        assert await node.tools() == []
    assert life == ["started", "stopped"]


async def test_a_start_that_nobody_waits_for_is_ended(life):
    async with PrivateNode() as node:
        node.start()
    assert life in ([], ["started", "stopped"])
    async with PrivateNode():
        pass
