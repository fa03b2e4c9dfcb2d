"""The link cut and the edge server killed: every answer is there, equal, and says what happened."""

import asyncio
import os
import random
import socket
from contextlib import asynccontextmanager

import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

CARD = "image-classification"
ALONE = InvokeOptions(arm=Arm(kind="device-only"))
SPLIT = InvokeOptions(arm=Arm(kind="co-inference", point=4))
#: A full run takes 500; the suite has less time.
CUTS = int(os.environ.get("EDGEWRIGHT_TEST_CUTS", "200"))
KILLS = 10


@pytest.fixture
def linked(node_settings):
    """Start a device whose peer stands behind a link."""

    @asynccontextmanager
    async def start(link: ShapedLink, **more):
        # Its own look-outs would fall into the traps that are laid for its transfers.
        peer = {"url": f"http://127.0.0.1:{link.port}", "poll_s": 3600, **more}
        async with (
            launch_node(node_settings("device", peer=peer)) as node,
            NodeClient(node.url) as client,
        ):
            yield client

    return start


def _link(url: str, **more) -> ShapedLink:
    return ShapedLink("127.0.0.1", int(url.rpartition(":")[2]), **more)


def _assert_reused(response, alone, *codes: str) -> None:
    report = response.report
    assert response.output == alone.output
    assert [step.tried for step in report.fallback] == [report.planned_arm]
    assert report.fallback[0].code in codes
    assert report.fallback[0].used == report.arm == "device-only"
    assert report.head_reused
    assert "resume" in report.stages_ms
    assert "whole" not in report.stages_ms


@pytest.mark.slow
@pytest.mark.timeout(300 + CUTS)
async def test_a_link_cut_anywhere_in_the_upload(edge_node, linked, encoded):
    picture = encoded()
    chance = random.Random(0)
    async with _link(edge_node.url) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, picture)
        whole = await client.invoke(CARD, SPLIT, picture)
        assert whole.report.fallback == []
        billed = []
        for _ in range(CUTS):
            # The request's head, which is no part of the body, comes first on the wire.
            link.cut_after(chance.randrange(1, whole.report.frame_bytes))
            response = await client.invoke(CARD, SPLIT, picture)
            _assert_reused(response, alone, "link_broken")
            assert response.report.bytes_down == 0
            billed.append(response.report.bytes_up)
        assert 0 <= min(billed) < max(billed) <= whole.report.frame_bytes
        again = await client.invoke(CARD, SPLIT, picture)
        assert again.report.fallback == []


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_edge_server_killed_at_any_moment(node_settings, linked, encoded):
    picture = encoded()
    chance = random.Random(0)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with ShapedLink("127.0.0.1", port, rate_kb_per_s=100) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, picture)
        for _ in range(KILLS):
            async with launch_node(node_settings("edge", port=port)) as edge:
                call = asyncio.create_task(client.invoke(CARD, SPLIT, picture))
                # From before the head is done until shortly before the frame is through.
                await asyncio.sleep(chance.uniform(0, 0.3))
                await asyncio.to_thread(edge.kill)
                _assert_reused(await call, alone, "link_broken", "link_refused")


async def test_an_edge_server_that_was_never_there(node_settings, encoded):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    peer = {"url": f"http://127.0.0.1:{port}", "poll_s": 0.2}
    async with (
        launch_node(node_settings("device", peer=peer)) as node,
        NodeClient(node.url) as client,
    ):
        alone = await client.invoke(CARD, ALONE, encoded())
        chosen = await client.invoke(CARD, InvokeOptions(), encoded())
        assert chosen.output == alone.output
        assert chosen.report.planned_arm == "device-only"
        _assert_reused(await client.invoke(CARD, SPLIT, encoded()), alone, "link_refused")
        known = await client.profile()
        assert known.peer is None
        async with launch_node(node_settings("edge", port=port)):
            for _ in range(200):
                known = await client.profile()
                if known.peer is not None and known.peer.models and known.link.up:
                    break
                await asyncio.sleep(0.1)
            assert known.peer.models
            response = await client.invoke(CARD, SPLIT, encoded())
            assert response.report.fallback == []


async def test_a_stalled_edge_server_costs_some_patience_only(edge_node, linked, encoded):
    async with _link(edge_node.url) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, encoded())
        await client.invoke(CARD, SPLIT, encoded())
        link.stall(True)
        async with asyncio.timeout(10):
            response = await client.invoke(CARD, SPLIT, encoded())
        _assert_reused(response, alone, "deadline_exceeded")
        decision = await client.decide(CARD, InvokeOptions(), encoded())
        assert decision.arm.kind == "device-only"
        assert not decision.link.up


async def test_a_short_deadline_leaves_the_device_time_to_go_on_alone(edge_node, linked, encoded):
    async with _link(edge_node.url) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, encoded())
        link.stall(True)
        hurried = SPLIT.model_copy(update={"deadline_s": 1.5})
        response = await client.invoke(CARD, hurried, encoded())
        _assert_reused(response, alone, "deadline_exceeded")


async def test_a_link_that_breaks_on_the_way_back(edge_node, linked, encoded):
    """The edge server has the frame and answers; the answer is lost."""
    async with _link(edge_node.url, delay_ms=400) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, encoded())
        call = asyncio.create_task(client.invoke(CARD, SPLIT, encoded()))
        await asyncio.sleep(0.6)  # between one delay and two
        link.stall(True)
        await asyncio.sleep(0.3)
        link.refuse(True)
        _assert_reused(await call, alone, "link_broken")
