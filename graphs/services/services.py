"""Services: a node, a planner, the cards and the image store, opened once and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Protocol

from edgewright.agents.planner.planner import AnyPlanner, make_planner
from edgewright.agents.responder.responder import Responder, make_responder
from edgewright.agents.text.vector_cache import Progress
from edgewright.graphs.services.local import image_store
from edgewright.graphs.services.node_group import NodeGroup
from edgewright.graphs.services.private_node import PrivateNode
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, PlannedTask
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.serving.installed import installed_at
from edgewright.tools.images.store import ImageStore
from edgewright.tools.library import known_cards
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.urls import urls_of
from edgewright.tools.settings import ChatModelSettings, Settings


class NodeAccess(Protocol):
    """The part of a node that graphs use; ``NodeClient`` implements it."""

    async def clients(self) -> tuple[NodeClient, ...]:
        """Return the clients of the nodes behind it, for a view of the network."""
        ...

    async def tools(self) -> list[CardView]:
        """List the cards and whether the node can run them."""
        ...

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors."""
        ...

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        """Choose an arm from facts about the image, without running anything.

        Args:
            card: Card id.
            options: Arguments, camera and deadline.
            image: Facts about the image; None if the camera holds it.
            ahead: Tasks that will be invoked just before this one.
        """
        ...

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        """Run a card."""
        ...


@dataclass(kw_only=True)
class Services:
    """Services of the steps of a graph.

    Attributes:
        node: The device node that carries out tasks.
        planner: Plans requests.
        responder: Writes answers.
        cards: What can be requested.
        images: The image store.
        chat: The chat model, if one is configured.
        catalogue: Reads the cards again and returns them with a planner; None disables that.
    """

    node: NodeAccess
    planner: AnyPlanner
    responder: Responder
    cards: CardRegistry
    images: ImageStore
    chat: ChatModelSettings = field(default_factory=ChatModelSettings)
    catalogue: Callable[[], tuple[CardRegistry, AnyPlanner]] | None = None
    _installed_at: int = field(default_factory=installed_at)

    async def refresh(self) -> None:
        """Add cards of models trained in the meantime; if there are none, this is one ``stat``.

        The planner is fitted to new cards in the background, at once: the first request about them
        waits for the rest of it.
        """
        stamp = await asyncio.to_thread(installed_at)
        if self.catalogue is not None and stamp != self._installed_at:
            self.cards, self.planner = await asyncio.to_thread(self.catalogue)
            self._installed_at = stamp
            # A daemon: the end of the process does not wait for it.
            Thread(target=_prepare, args=(self.planner,), daemon=True).start()


def _prepare(planner: AnyPlanner) -> None:
    with suppress(EdgewrightError, OSError):  # the first request meets it again, and tells
        planner.prepare()


@asynccontextmanager
async def open_services(
    settings: Settings | None = None,
    *,
    node: PrivateNode | None = None,
    read_cards: Callable[[], CardRegistry] = known_cards,
    on_progress: Progress = lambda done, total: None,
) -> AsyncIterator[Services]:
    """Open the services that settings describe, and close them at the end.

    Args:
        settings: The node and the chat model; None reads the environment.
        node: A private node that the caller has started, and stops; None opens the node that the
            settings name, or a private one.
        read_cards: Returns the cards to plan over.
        on_progress: Called while the planner encodes its texts for the first time.

    Yields:
        The services. A private node that was started is stopped when the block is left.
    """
    settings = settings or Settings.from_environment()

    def catalogue() -> tuple[CardRegistry, AnyPlanner]:
        cards = read_cards()
        return cards, make_planner(cards, chat=settings.chat, on_progress=on_progress)

    cards, planner = await asyncio.to_thread(catalogue)
    async with AsyncExitStack() as stack:
        opened: NodeAccess | None = node
        if opened is None:
            opened = await stack.enter_async_context(await asyncio.to_thread(_node, settings))
        yield Services(
            node=opened,
            planner=planner,
            responder=make_responder(settings.chat),
            cards=cards,
            images=image_store(),
            chat=settings.chat,
            catalogue=catalogue,
        )


def _node(settings: Settings) -> AbstractAsyncContextManager[NodeAccess]:
    if not settings.node_url:
        return PrivateNode()
    urls = urls_of(settings.node_url)
    clients = [NodeClient(url, api_key=settings.api_key or None) for url in urls]
    return clients[0] if len(clients) == 1 else NodeGroup(clients)
