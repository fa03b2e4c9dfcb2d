"""A device with a real edge server adapts to its link and to the server's load."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

pytestmark = pytest.mark.timeout(180)

CARD = "image-classification"
SLOWDOWN = 6.0
#: Rates in KB/s at which offloading is far faster, and far slower, than the device alone.
FAST, SLOW = 20_000, 1


@pytest.fixture
def slow_device(node_settings, slowed_profile):
    """Return a function that starts a slow device whose peer is behind a link."""

    @asynccontextmanager
    async def start(link: ShapedLink):
        settings = node_settings(
            "device",
            slowdown=SLOWDOWN,
            peers=[{"url": f"http://127.0.0.1:{link.port}", "poll_s": 0.2}],
            min_accuracy_retention=0.0,
        )
        async with (
            launch_node({**settings, "profile_file": slowed_profile(SLOWDOWN)}) as node,
            NodeClient(node.url) as client,
        ):
            while not (await client.profile()).knows_peers:
                await asyncio.sleep(0.1)
            yield client

    return start


async def _requests_until(client: NodeClient, image: bytes, *, alone: bool) -> int:
    """Return the number of requests until the device works alone, or no longer alone."""
    for count in range(10):
        response = await client.invoke(CARD, InvokeOptions(), image)
        if response.report.planned_arm.startswith("device-only") == alone:
            return count
        await asyncio.sleep(0.3)
    raise AssertionError("the device never changed its arm")


async def test_a_change_of_the_links_rate_changes_the_arm_within_three_requests(
    edge_node, slow_device, encoded
):
    port = int(edge_node.url.rpartition(":")[2])
    async with (
        ShapedLink("127.0.0.1", port, rate_kb_per_s=FAST) as link,
        slow_device(link) as client,
    ):
        assert await _requests_until(client, encoded(), alone=False) <= 3
        link.set_rate(SLOW)
        assert await _requests_until(client, encoded(), alone=True) <= 3
        link.set_rate(FAST)
        assert await _requests_until(client, encoded(), alone=False) <= 3


async def test_load_of_others_moves_work_back_to_the_device(
    edge_node, slow_device, encoded, edge_client
):
    port = int(edge_node.url.rpartition(":")[2])
    async with (
        ShapedLink("127.0.0.1", port, rate_kb_per_s=FAST) as link,
        slow_device(link) as client,
    ):
        assert await _requests_until(client, encoded(), alone=False) <= 3

        image = encoded()

        async def overload() -> None:
            # More requests than any machine serves, at a rate that this one can still send.
            async with asyncio.TaskGroup() as group:
                while True:
                    group.create_task(_send(edge_client, image))
                    await asyncio.sleep(0.01)

        background = asyncio.create_task(overload())
        try:
            # The load is averaged over a window of seconds, which takes time to fill.
            for _ in range(20):
                await asyncio.sleep(1)
                decision = await client.decide(CARD, InvokeOptions(), probe(image))
                if (load := decision.peers["edge"].load) is not None and load.utilisation >= 1:
                    break
        finally:
            background.cancel()
            await asyncio.wait([background])
        assert decision.peers["edge"].load.utilisation >= 1
        assert decision.arm.kind == "device-only"
        assert "other callers demand" in decision.reason


async def _send(client: NodeClient, image: bytes) -> None:
    with suppress(EdgewrightError):  # refused by the overloaded server, as intended
        await client.invoke(CARD, InvokeOptions(deadline_s=5), image)
