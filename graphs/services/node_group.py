"""Several nodes as one: each task goes to the node that can carry it out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, PlannedTask
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.nodes.client import NodeClient


class NodeGroup:
    """Nodes that a session uses together; implements ``NodeAccess``.

    A task goes to the first node that has what its card needs: the sensor, the model. The first
    node is the device that takes what any of them could do.

    Args:
        clients: Clients of the nodes, at least one.
    """

    def __init__(self, clients: Sequence[NodeClient]) -> None:
        self._clients = tuple(clients)
        self._stack = AsyncExitStack()
        self._sensors: dict[str, list[SensorView]] = {}

    async def __aenter__(self) -> Self:
        for client in self._clients:
            await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def clients(self) -> tuple[NodeClient, ...]:
        """Return the clients of the nodes."""
        return self._clients

    async def tools(self) -> list[CardView]:
        """List the cards; one is available if any node can run it."""
        found: dict[str, CardView] = {}
        for views in await self._all_tools():
            for view in views if not isinstance(views, EdgewrightError) else ():
                if view.id not in found or (view.available and not found[view.id].available):
                    found[view.id] = view
        return list(found.values())

    async def sensors(self) -> list[SensorView]:
        """List the sensors of all nodes.

        Of a node that does not answer, those that it had before are listed: a request for them is
        planned, and its answer says that they are missing.
        """
        answers = await asyncio.gather(
            *(client.sensors() for client in self._clients), return_exceptions=True
        )
        for client, views in zip(self._clients, answers, strict=True):
            if isinstance(views, list):
                self._sensors[client.url] = views
        return [view for client in self._clients for view in self._sensors.get(client.url, ())]

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        """Have the task's node choose an arm; see ``NodeClient.decide``."""
        return await (await self._node_for(card)).decide(card, options, image, ahead)

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        """Have the task's node run it; see ``NodeClient.invoke``."""
        return await (await self._node_for(card)).invoke(card, options, image)

    async def _node_for(self, card: str) -> NodeClient:
        """Return the first node that can run a card.

        Raises:
            UnavailableError: None can, and one that might have does not answer (``node_silent``).
            EdgewrightError: No node answers.
        """
        answers = await self._all_tools()
        silent = [
            client.url
            for client, views in zip(self._clients, answers, strict=True)
            if isinstance(views, EdgewrightError)
        ]
        for client, views in zip(self._clients, answers, strict=True):
            if not isinstance(views, EdgewrightError) and any(
                view.id == card and view.available for view in views
            ):
                return client
        if len(silent) == len(self._clients):
            raise next(views for views in answers if isinstance(views, EdgewrightError))
        if silent:
            raise UnavailableError(
                f"no node that answers can do this, and {' and '.join(silent)} does not answer",
                code="node_silent",
            )
        return self._clients[0]  # its answer says what is missing

    async def _all_tools(self) -> list[list[CardView] | EdgewrightError]:
        answers = await asyncio.gather(
            *(client.tools() for client in self._clients), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, EdgewrightError):
                raise answer
        return answers  # type: ignore[return-value]
