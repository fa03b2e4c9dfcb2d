"""Opening what a run works with: a node, a planner, the cards and the picture store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from langgraph.runtime import Runtime

from edgewright.agents.planner.planner import AnyPlanner, make_planner
from edgewright.agents.responder.responder import make_responder
from edgewright.graphs.assistant.context import Context, PlannerChoice, Services
from edgewright.graphs.assistant.training import LocalTrainer
from edgewright.tools.cards import CardRegistry
from edgewright.tools.images.store import ImageStore
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.settings import ChatModelSettings, home
from edgewright.tools.vision.library import known_cards

#: A node of one's own when none is named: every model that is installed, no peer, no sensors.
PRIVATE_NODE: dict[str, Any] = {"name": "local", "role": "device", "port": 0}


def image_store() -> ImageStore:
    """Return the store in the state folder."""
    return ImageStore(home() / "images")


@asynccontextmanager
async def open_services(context: Context) -> AsyncIterator[Services]:
    """Open the services that a context describes, and close them at the end.

    Args:
        context: Its ``services`` are ignored.

    Yields:
        The services. A private node is stopped when the block is left.
    """
    url = context.node_url or os.environ.get("EDGEWRIGHT_DEVICE_URL")
    key = os.environ.get("EDGEWRIGHT_API_KEY")
    chat = None if context.planner == "embedded" else ChatModelSettings.from_environment()

    def catalogue() -> tuple[CardRegistry, AnyPlanner]:
        cards = known_cards()
        return cards, make_planner(cards, chat=chat)

    cards, planner = await asyncio.to_thread(catalogue)
    async with AsyncExitStack() as stack:
        if not url:
            private = await asyncio.to_thread(launch_node, PRIVATE_NODE)
            url = (await stack.enter_async_context(private)).url
        client = await asyncio.to_thread(NodeClient, url, api_key=key)
        yield Services(
            node=await stack.enter_async_context(client),
            planner=planner,
            responder=make_responder(chat),
            cards=cards,
            images=image_store(),
            trainer=LocalTrainer(context.planner),
            catalogue=catalogue,
        )


async def services_of(runtime: Runtime[Context]) -> Services:
    """Return the services of a run: its caller's, or those kept for the process."""
    context = runtime.context or Context()
    if isinstance(context.services, Services):
        return context.services
    return await _kept(context)


# An event loop's clients serve that loop alone. The tasks also keep concurrent first runs from
# starting two private nodes.
_Key = tuple[asyncio.AbstractEventLoop, str | None, PlannerChoice]
_KEPT: dict[_Key, asyncio.Task[Services]] = {}
_STACKS: list[AsyncExitStack] = []


async def _kept(context: Context) -> Services:
    key = (asyncio.get_running_loop(), context.node_url, context.planner)
    task = _KEPT.get(key)
    if task is None or (task.done() and task.exception() is not None):
        task = _KEPT[key] = asyncio.create_task(_keep_open(context))
    return await asyncio.shield(task)


async def _keep_open(context: Context) -> Services:
    stack = AsyncExitStack()
    _STACKS.append(stack)
    return await stack.enter_async_context(open_services(context))
