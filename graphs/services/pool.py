"""A pool of services for a server, whose runs bring none of their own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from edgewright.graphs.services.services import Services, open_services
from edgewright.tools.settings import Settings


class ServicePool:
    """Opens services on first use, one set for each settings and event loop, and closes them all.

    Concurrent first runs share one set, so that they do not start two private nodes.
    """

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._opening: dict[object, asyncio.Task[Services]] = {}

    async def get(self, settings: Settings) -> Services:
        """Return the services for these settings; a failure is not remembered.

        Args:
            settings: The node and the chat model.
        """
        # A client serves only the event loop that opened it.
        key = (asyncio.get_running_loop(), settings)
        task = self._opening.get(key)
        if task is None or (task.done() and task.exception() is not None):
            opened = self._stack.enter_async_context(open_services(settings))
            task = self._opening[key] = asyncio.create_task(opened)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Close everything that was opened."""
        self._opening.clear()
        await self._stack.aclose()
