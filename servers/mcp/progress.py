"""Progress of a call, as notifications to the client that asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcp.server.session import ServerSession


class Progress:
    """Reports steps in their order, without keeping the work waiting.

    Made by ``reporting``.
    """

    def __init__(self) -> None:
        self._steps: asyncio.Queue[str] = asyncio.Queue()

    def report(self, message: str) -> None:
        """Report a step."""
        self._steps.put_nowait(message)

    async def send(self, session: ServerSession) -> None:
        """Send the steps as they come, until cancelled."""
        number = 0
        while True:
            message = await self._steps.get()
            number += 1
            # A client that has left is no reason to end the work.
            with suppress(Exception):
                await session.report_progress(number, message=message)
            self._steps.task_done()

    async def sent(self) -> None:
        """Wait until all steps were sent."""
        await self._steps.join()


@asynccontextmanager
async def reporting(session: ServerSession) -> AsyncIterator[Progress]:
    """Report the steps of a call.

    Args:
        session: The session of the call.

    Yields:
        The progress, which takes the steps.
    """
    progress = Progress()
    sending = asyncio.create_task(progress.send(session))
    try:
        yield progress
        await progress.sent()
    finally:
        sending.cancel()
