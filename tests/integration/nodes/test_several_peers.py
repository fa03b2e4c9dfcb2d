"""A device with an edge server and a cloud, in processes of their own behind shaped links."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest

from edgewright.benchmarks.peers.fleet import Fleet
from edgewright.benchmarks.peers.kills import killed_servers
from edgewright.cli.commands.checks import device_node
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.errors import InputError
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

pytestmark = pytest.mark.timeout(900)

CARD = "image-classification"


@pytest.fixture(scope="module")
def cloud_node(node_settings):
    """Start a cloud."""
    with launch_node(node_settings("cloud", preload=["efficientnet-lite0"])) as node:
        yield node


def _link(url: str, **more) -> ShapedLink:
    return ShapedLink("127.0.0.1", int(url.rpartition(":")[2]), **more)


async def _met(client: NodeClient) -> None:
    """Wait until a node knows its peers."""
    while not (await client.profile()).knows_peers:
        await asyncio.sleep(0.1)


async def _invoke(client: NodeClient, image: bytes, **arm):
    options = InvokeOptions(arm=Arm(**arm), deadline_s=100)
    return await client.invoke(CARD, options, image)


async def test_everything_runs_on_the_device_the_edge_server_the_cloud_or_two(
    edge_node, cloud_node, node_settings, encoded
):
    image = encoded()
    async with AsyncExitStack() as stack:
        near = await stack.enter_async_context(_link(edge_node.url, delay_ms=5))
        far = await stack.enter_async_context(_link(cloud_node.url, delay_ms=60))
        peers = [
            {"url": f"http://127.0.0.1:{near.port}", "receives": "features"},
            {"name": "cloud", "url": f"http://127.0.0.1:{far.port}", "price_per_hour": 36},
        ]
        settings = node_settings("device", peers=peers, limits={"peer_patience_s": 30})
        device = await stack.enter_async_context(launch_node(settings))
        client = await stack.enter_async_context(NodeClient(device.url, timeout_s=100))
        await _met(client)
        profile = await client.profile()
        assert profile.peers["cloud"].link.rtt_ms > profile.peers["edge"].link.rtt_ms + 50
        assert profile.peers["cloud"].profile.role == "cloud"

        alone = await _invoke(client, image, kind="device-only")
        sent = await _invoke(client, image, kind="edge-only")
        assert sent.report.arm == "cloud-only (original image)"  # the edge server may not see it
        assert sent.report.nodes == ["cloud"]
        assert sent.report.price > 0
        cut = await _invoke(client, image, kind="co-inference", point=4, peer="cloud")
        assert cut.report.arm == "co-inference with cloud (point 4)"
        assert cut.report.nodes == ["device", "cloud"]
        near_cut = await _invoke(client, image, kind="co-inference", point=4)
        assert near_cut.report.nodes == ["device", "edge"]
        assert near_cut.report.price == 0
        assert sent.output == alone.output
        assert cut.output == near_cut.output
        with pytest.raises(InputError, match="edge receives features only"):
            await _invoke(client, image, kind="edge-only", peer="edge")
        with pytest.raises(InputError, match="its peers are edge, cloud"):
            await _invoke(client, image, kind="edge-only", peer="moon")

        found = {check.name: check for check in await device_node(device.url)}
        assert "features only" in found["peer edge"].detail
        assert "36 an hour" in found["peer cloud"].detail
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{device.url}/metrics")).text
        assert 'edgewright_results_total{arm="edge-only",peer="cloud"} 1.0' in text
        assert 'edgewright_link_up{peer="edge"} 1.0' in text

        far.refuse(True)
        left = await _invoke(client, image, kind="edge-only", peer="cloud")
        assert left.report.fallback[0].tried == "cloud-only (original image)"
        assert left.report.arm != "edge-only (original image)"
        assert left.output["labels"][0]["label"] == alone.output["labels"][0]["label"]


async def test_an_edge_server_passes_whole_tasks_on_if_it_may(
    cloud_node, node_settings, slowed_profile, encoded
):
    slow = {"slowdown": 20.0, "profile_file": slowed_profile(20.0)}
    peers = [{"name": "cloud", "url": cloud_node.url}]
    arm = {"kind": "edge-only", "image_codec": "png"}
    async with (
        launch_node({**node_settings("edge", peers=peers), **slow}) as edge,
        NodeClient(edge.url, timeout_s=100) as edge_client,
    ):
        await _met(edge_client)
        decision = await edge_client.decide(CARD, InvokeOptions(), probe(encoded()))
        assert decision.arm.label.startswith("cloud-only")
        assert "on this server" in decision.reason
        passed = await _invoke(edge_client, encoded(), **decision.arm.model_dump())
        assert passed.report.nodes == ["edge", "cloud"]
        for forwards in (True, False):
            upstream = [{"url": edge.url, "forwards": forwards}]
            settings = node_settings("device", peers=upstream, limits={"peer_patience_s": 30})
            async with (
                launch_node(settings) as device,
                NodeClient(device.url, timeout_s=100) as client,
            ):
                await _met(client)
                response = await _invoke(client, encoded(), **arm)
                assert response.report.arm == "edge-only (png)"
                assert ("cloud" in response.report.nodes) == forwards
                assert "cat" in response.output["text"]


@pytest.mark.slow
async def test_every_request_is_answered_while_servers_are_killed(node_profiles, tmp_path):
    measured = NodeProfile.model_validate_json(node_profiles.read_bytes())
    (profile,) = measured.models.values()
    deadline_s = 30.0
    async with Fleet(profile, tmp_path, slowdown=8.0) as fleet:
        requests = await killed_servers(fleet, kills=3, deadline_s=deadline_s)
    assert [one.error for one in requests if one.error] == []
    assert sum(bool(one.killed) for one in requests) == 3
    assert max(one.seconds for one in requests) <= deadline_s
    assert all(one.correct for one in requests)
