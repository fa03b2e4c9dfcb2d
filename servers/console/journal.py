"""Work that goes on whether or not a page follows it, with everything that has happened of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

from edgewright.tools.errors import EdgewrightError

log = logging.getLogger(__name__)

Json = dict[str, Any]


class Journal:
    """Work and its events, which pages may follow from the beginning at any time.

    Attributes:
        id: Identifies it.
        events: What has happened, oldest first.
        work: The work; None before it was started.
        followers: Number of pages that follow it.
        left_at: When the last of them left, or the work began, in seconds of ``time.monotonic``.
    """

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.events: list[Json] = []
        self.work: asyncio.Task[None] | None = None
        self.followers = 0
        self.left_at = time.monotonic()
        self._began = time.perf_counter()
        self._changed = asyncio.Event()

    @property
    def done(self) -> bool:
        """Whether nothing more happens."""
        return self.work is not None and self.work.done()

    def begin(self, work: asyncio.Task[None]) -> None:
        """Take up work; its events end with it."""
        self.work = work
        self.left_at = time.monotonic()
        work.add_done_callback(lambda _: self.wake())

    def add(self, event: Json) -> Json:
        """Add an event, with the milliseconds since the beginning."""
        timed = {**event, "at_ms": round((time.perf_counter() - self._began) * 1000, 1)}
        self.events.append(timed)
        self.wake()
        return timed

    def fail(self, error: Exception, **more: Any) -> None:
        """Add the event of a failure; only errors for people say more than that there was one."""
        if isinstance(error, EdgewrightError):
            code, message = error.info().code, error.info().message
        else:
            log.error("%s failed", self.id, exc_info=error)
            code, message = "internal", "internal error; the server's log has the details"
        self.add({"event": "failed", "code": code, "message": message, **more})

    async def follow(
        self, after: int, *, alive_s: float
    ) -> AsyncGenerator[tuple[int, Json | None], None]:
        """Yield events with their numbers, until there will be no more.

        Args:
            after: Number of events that are known already.
            alive_s: Time without an event after which None is yielded instead.
        """
        self.followers += 1
        try:
            while True:
                changed = self._changed
                while after < len(self.events):
                    after += 1
                    yield after, self.events[after - 1]
                if self.done:
                    return
                try:
                    async with asyncio.timeout(alive_s):
                        await changed.wait()
                except TimeoutError:
                    yield after, None
        finally:
            self.followers -= 1
            self.left_at = time.monotonic()

    def wake(self) -> None:
        """Let those that follow it look again."""
        self._changed.set()
        self._changed = asyncio.Event()
