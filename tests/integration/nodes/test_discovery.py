"""Nodes that announce themselves on the loopback interface, and the pin on their certificate."""

import asyncio

import pytest

from edgewright.tools.errors import InputError, LinkError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.discovery import find_nodes
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.pinning import fingerprint_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LOOPBACK = ["127.0.0.1"]


async def found(name, *, there, seconds=1.0, limit=20):
    """Look until a node is announced, or no longer is."""
    for _ in range(limit):
        nodes = {one.name: one for one in await find_nodes(seconds, interfaces=LOOPBACK)}
        if (name in nodes) is there:
            return nodes.get(name)
    raise AssertionError(nodes)


async def test_an_announced_node_is_found_and_trusted_by_its_fingerprint(certificate):
    public, private = certificate
    tls = {"certificate": str(public), "private_key": str(private)}
    config = {"name": "edge-7f3a", "role": "edge", "port": 0, "preload": [], "measure": "never"}
    with launch_node({**config, "tls": tls, "announce": True}) as node:
        one = await found("edge-7f3a", there=True)
        assert (one.role, one.url) == ("edge", node.url)
        assert one.fingerprint == fingerprint_of(public)
        async with NodeClient(one.url, fingerprint=one.fingerprint.upper()) as client:
            assert await client.tools()
        other = one.fingerprint[::-1]
        async with NodeClient(one.url, api_key="secret", fingerprint=other) as client:
            with pytest.raises(LinkError) as error:
                await client.tools()
            assert error.value.info().code == "fingerprint_mismatch"
        with pytest.raises(InputError):
            NodeClient("http://127.0.0.1:1", fingerprint=one.fingerprint)
        await asyncio.to_thread(node.stop)
    assert await found("edge-7f3a", there=False) is None


async def test_nodes_announce_nothing_by_default():
    config = {"name": "silent-7f3a", "port": 0, "preload": [], "measure": "never"}
    with launch_node(config):
        names = [one.name for one in await find_nodes(2.0, interfaces=LOOPBACK)]
    assert "silent-7f3a" not in names
