"""A pool of services for a server, whose runs open none themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Generic, TypeVar

Settings = TypeVar("Settings")
Services = TypeVar("Services")


class ServicePool(Generic[Settings, Services]):
    """Opens services on first use, one set per settings and event loop, and closes them all.

    Concurrent first runs share one set.

    Args:
        opener: Opens the services for some settings, such as ``open_services``.
    """

    def __init__(self, opener: Callable[[Settings], AbstractAsyncContextManager[Services]]) -> None:
        self._opener = opener
        self._stack = AsyncExitStack()
        self._opening: dict[object, asyncio.Task[Services]] = {}

    async def get(self, settings: Settings) -> Services:
        """Return the services for these settings; after a failure the next call tries again.

        Args:
            settings: What the services are opened with; hashable.
        """
        # A client serves only the event loop that opened it.
        key = (asyncio.get_running_loop(), settings)
        task = self._opening.get(key)
        if task is None or (task.done() and task.exception() is not None):
            opened = self._stack.enter_async_context(self._opener(settings))
            task = self._opening[key] = asyncio.create_task(opened)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Close all services, including those that are still being opened."""
        loop = asyncio.get_running_loop()
        own = [task for task in self._opening.values() if task.get_loop() is loop]
        self._opening.clear()
        await asyncio.gather(*own, return_exceptions=True)
        await self._stack.aclose()
