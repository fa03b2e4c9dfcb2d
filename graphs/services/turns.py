"""All turns of all threads, each stored once, in the file of the threads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.store.base import BaseStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from edgewright.agents.planner.request import Turn
from edgewright.graphs.services.thread_file import clear_errors, turns_of

_PAGE = 1000


@asynccontextmanager
async def open_turns(path: Path, *, lock_timeout_s: float = 5.0) -> AsyncIterator[AsyncSqliteStore]:
    """Open the store of turns, in the file that ``open_threads`` has created.

    Args:
        path: The SQLite file.
        lock_timeout_s: Maximum wait for another program that has locked the file, in seconds.

    Yields:
        The store.

    Raises:
        EdgewrightError: As for ``open_threads``.
    """
    with clear_errors():
        connection = aiosqlite.connect(path, timeout=lock_timeout_s, isolation_level=None)
        async with connection, AsyncSqliteStore(connection) as store:
            await store.setup()
            yield store


async def store_turn(store: BaseStore, thread: str, checkpoint: str, turn: Turn) -> None:
    """Store a turn.

    Args:
        store: The store.
        thread: Name of the thread.
        checkpoint: The checkpoint before its end. These sort by time, and a step that is repeated
            has the same one.
        turn: The turn.
    """
    await store.aput(turns_of(thread), checkpoint, turn.model_dump(mode="json"))


async def stored_turns(store: BaseStore, thread: str) -> list[Turn]:
    """Return all turns of a thread, oldest first."""
    found: list[tuple[str, Turn]] = []
    while page := await store.asearch(turns_of(thread), limit=_PAGE, offset=len(found)):
        found.extend((item.key, Turn.model_validate(item.value)) for item in page)
    return [turn for _, turn in sorted(found, key=lambda pair: pair[0])]


async def remove_turns(store: BaseStore, thread: str) -> None:
    """Remove all turns of a thread."""
    while page := await store.asearch(turns_of(thread), limit=_PAGE):
        for item in page:
            await store.adelete(item.namespace, item.key)
