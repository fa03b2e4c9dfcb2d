"""A node on this machine for callers that name none, started on first use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Self

from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

#: Every installed model, no peer and no sensors.
_CONFIG: dict[str, Any] = {"name": "local", "role": "device", "port": 0}


class PrivateNode:
    """A node in a process of its own; implements ``NodeAccess``, and is an async context manager.

    Planning asks for the sensors alone, and it has none, so planning does not start it.
    """

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()
        self._client: NodeClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def tools(self) -> list[CardView]:
        """List the cards and whether the node can run them."""
        return await (await self._started()).tools()

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors: it has none."""
        return []

    async def decide(self, card: str, options: InvokeOptions, image: ImageFacts | None) -> Decision:
        """Choose an arm; see ``NodeClient.decide``."""
        return await (await self._started()).decide(card, options, image)

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        """Run a card; see ``NodeClient.invoke``."""
        return await (await self._started()).invoke(card, options, image)

    async def _started(self) -> NodeClient:
        """Return a client of the node, started on the first call.

        Raises:
            UnavailableError: The node did not start; the next call tries again.
        """
        async with self._starting:
            if self._client is None:
                process = await asyncio.to_thread(launch_node, _CONFIG)
                url = (await self._stack.enter_async_context(process)).url
                client = await asyncio.to_thread(NodeClient, url)
                self._client = await self._stack.enter_async_context(client)
        return self._client
