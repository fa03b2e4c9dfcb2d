"""The link cut, the edge server killed: every request gets the same answer and a report of it."""

import asyncio
import os
import random
import socket
from contextlib import asynccontextmanager

import pytest

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

CARD = "image-classification"
ALONE = InvokeOptions(arm=Arm(kind="device-only"))
SPLIT = InvokeOptions(arm=Arm(kind="co-inference", point=4))
#: A full run takes 500 cuts; the suite has less time.
CUTS = int(os.environ.get("EDGEWRIGHT_TEST_CUTS", "200"))
KILLS = 10


@pytest.fixture
def linked(node_settings):
    """Return a function that starts a device whose peer is behind a link."""

    @asynccontextmanager
    async def start(link: ShapedLink, **more):
        # Link probes are switched off, since they would trigger the faults meant for transfers.
        peer = {"url": f"http://127.0.0.1:{link.port}", "poll_s": 3600, **more}
        async with (
            launch_node(node_settings("device", peers=[peer])) as node,
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
    image = encoded()
    rng = random.Random(0)
    async with _link(edge_node.url) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, image)
        whole = await client.invoke(CARD, SPLIT, image)
        assert whole.report.fallback == []
        bytes_up = []
        for _ in range(CUTS):
            # HTTP headers precede the body on the wire and are not counted in ``frame_bytes``.
            link.cut_after(rng.randrange(1, whole.report.frame_bytes))
            response = await client.invoke(CARD, SPLIT, image)
            _assert_reused(response, alone, "link_broken")
            assert response.report.bytes_down == 0
            bytes_up.append(response.report.bytes_up)
        assert 0 <= min(bytes_up) < max(bytes_up) <= whole.report.frame_bytes
        again = await client.invoke(CARD, SPLIT, image)
        assert again.report.fallback == []


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_edge_server_killed_at_any_moment(node_settings, linked, encoded):
    image = encoded()
    rng = random.Random(0)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with ShapedLink("127.0.0.1", port, rate_kb_per_s=100) as link, linked(link) as client:
        alone = await client.invoke(CARD, ALONE, image)
        for _ in range(KILLS):
            async with launch_node(node_settings("edge", port=port)) as edge:
                call = asyncio.create_task(client.invoke(CARD, SPLIT, image))
                # Between the start of the head and the end of the frame's transfer.
                await asyncio.sleep(rng.uniform(0, 0.3))
                await asyncio.to_thread(edge.kill)
                _assert_reused(await call, alone, "link_broken", "link_refused")


async def test_an_edge_server_that_was_never_there(node_settings, encoded):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    peer = {"url": f"http://127.0.0.1:{port}", "poll_s": 0.2}
    async with (
        launch_node(node_settings("device", peers=[peer])) as node,
        NodeClient(node.url) as client,
    ):
        alone = await client.invoke(CARD, ALONE, encoded())
        chosen = await client.invoke(CARD, InvokeOptions(), encoded())
        assert chosen.output == alone.output
        assert chosen.report.planned_arm == "device-only"
        _assert_reused(await client.invoke(CARD, SPLIT, encoded()), alone, "link_refused")
        profile = await client.profile()
        assert profile.peers["edge"].profile is None
        async with launch_node(node_settings("edge", port=port)):
            for _ in range(200):
                profile = await client.profile()
                if profile.knows_peers and profile.peers["edge"].link.up:
                    break
                await asyncio.sleep(0.1)
            assert profile.knows_peers
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
        decision = await client.decide(CARD, InvokeOptions(), probe(encoded()))
        assert decision.arm.kind == "device-only"
        assert not decision.peers["edge"].link.up


async def test_a_short_deadline_leaves_the_device_time_to_continue_alone(
    edge_node, linked, encoded
):
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
