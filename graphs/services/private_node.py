"""A node on this machine for callers that name none, started on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, PlannedTask
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.nodes.launch import NodeProcess, launch_node

if TYPE_CHECKING:
    from edgewright.tools.nodes.client import NodeClient

#: Every installed model, no peer and no sensors. Without a peer there is little to choose from, so
#: it uses stored times of a node of this name, but takes no time from the request to measure any.
_CONFIG: dict[str, Any] = {"name": "local", "role": "device", "port": 0, "measure": "never"}


class PrivateNode:
    """A node in a process of its own; implements ``NodeAccess``, and is an async context manager.

    Planning asks for the sensors alone, and it has none, so planning does not start it.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1)
        self._process: NodeProcess | None = None
        self._starting: Future[NodeProcess] | None = None
        self._connecting = asyncio.Lock()
        self._client: NodeClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._client is not None:
            await self._client.__aexit__(*error)
        await asyncio.to_thread(self._stop)

    def start(self) -> None:
        """Start the process without waiting for it, unless it has been started; calls wait."""
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._process = launch_node(_CONFIG)
            self._starting = self._executor.submit(self._process.__enter__)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()  # ends a start that is under way
            self._executor.shutdown()
            self._process.stop()  # if that start had not begun

    async def clients(self) -> tuple[NodeClient, ...]:
        """Return the client of the node, which is started."""
        return (await self._started(),)

    async def tools(self) -> list[CardView]:
        """List the cards and whether the node can run them."""
        return await (await self._started()).tools()

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors: it has none."""
        return []

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        """Choose an arm; see ``NodeClient.decide``."""
        return await (await self._started()).decide(card, options, image, ahead)

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
        from edgewright.tools.nodes.client import NodeClient

        async with self._connecting:
            if self._client is None:
                self.start()
                assert self._starting is not None
                process = await asyncio.shield(asyncio.wrap_future(self._starting))
                self._client = await asyncio.to_thread(NodeClient, process.url)
        return self._client
