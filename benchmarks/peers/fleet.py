"""Three servers in processes of their own, and devices that may use them over shaped links."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from edgewright.benchmarks.common.profiles import slowed
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import store
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile, Role
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import NodeProcess, launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

#: Time that a node may take to start on a busy machine.
_START_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a server stands.

    Attributes:
        role: Its role.
        slowdown: Factor by which it is slower than this machine.
        rate_kb_per_s: Rate of the link to it.
        rtt_ms: Round trip.
    """

    role: Role
    slowdown: float
    rate_kb_per_s: float
    rtt_ms: float


#: The cloud is the fastest and the farthest away.
SITES = {
    "edge": Site(role="edge", slowdown=2.0, rate_kb_per_s=1000, rtt_ms=10),
    "hall": Site(role="edge", slowdown=3.0, rate_kb_per_s=2000, rtt_ms=5),
    "cloud": Site(role="cloud", slowdown=1.0, rate_kb_per_s=500, rtt_ms=80),
}


class Fleet:
    """The nodes; an async context manager.

    Args:
        profile: The model's profile on this machine.
        folder: Folder for the nodes' profiles.
        slowdown: Factor by which a device is slower than this machine.
        sites: Where the servers stand, by name.
        devices: Number of devices; each has links of its own.

    Attributes:
        devices: Clients of the devices.
        running: The servers that are running, by name.
    """

    def __init__(
        self,
        profile: ModelProfile,
        folder: Path,
        *,
        slowdown: float,
        sites: Mapping[str, Site] = SITES,
        devices: int = 1,
    ) -> None:
        self.devices: list[NodeClient] = []
        self.running: dict[str, NodeProcess] = {}
        self._number = devices
        self._sites = sites
        self._profile = profile
        self._folder = folder
        self._slowdown = slowdown
        self._ports: dict[str, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        for server in self.running.values():
            await asyncio.to_thread(server.stop)

    @property
    def device(self) -> NodeClient:
        """Client of the first device."""
        return self.devices[0]

    async def start(self, name: str) -> None:
        """Start a server on its port, and wait until it is ready.

        Args:
            name: Its name.
        """
        site = self._sites[name]
        config = self._config(name, site.role, site.slowdown, port=self._ports[name])
        server = launch_node(config, timeout_s=_START_S)
        await server.__aenter__()
        self.running[name] = server

    async def kill(self, name: str) -> None:
        """Kill a server, as a power failure would.

        Args:
            name: Its name.
        """
        server = self.running.pop(name)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.stop)

    async def _start(self) -> None:
        for name in self._sites:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._ports[name] = free.getsockname()[1]
            await self.start(name)
        self.devices = [await self._device(number) for number in range(1, self._number + 1)]

    async def _device(self, number: int) -> NodeClient:
        peers = []
        for name, site in self._sites.items():
            link = ShapedLink(
                "127.0.0.1",
                self._ports[name],
                rate_kb_per_s=site.rate_kb_per_s,
                delay_ms=site.rtt_ms / 2,
            )
            await self._stack.enter_async_context(link)
            peers.append({"name": name, "url": f"http://127.0.0.1:{link.port}"})
        config = self._config(f"device-{number}", "device", self._slowdown, port=0, peers=peers)
        node = await self._stack.enter_async_context(launch_node(config, timeout_s=_START_S))
        client = await self._stack.enter_async_context(NodeClient(node.url, timeout_s=60))
        while not (await client.profile()).knows_peers:
            await asyncio.sleep(0.2)
        return client

    def _config(self, name: str, role: Role, slowdown: float, **more: Any) -> dict[str, Any]:
        """Return a node's configuration, and store its profile."""
        config = {
            "name": name,
            "role": role,
            "slowdown": slowdown,
            "preload": [self._profile.model],
            "profile_file": str(self._folder / f"{name}.json"),
            **more,
        }
        models = {self._profile.model: slowed(self._profile, slowdown)}
        store(NodeConfig.model_validate(config), NodeProfile(node=name, role=role, models=models))
        return config
