"""Threads on disk: a SQLite checkpointer whose failures are told in words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from edgewright.tools.errors import StorageError, TransientError, UnavailableError


@asynccontextmanager
async def open_threads(
    path: Path, *, lock_timeout_s: float = 5.0
) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the file that keeps threads, and make it if it is not there.

    Args:
        path: The SQLite file.
        lock_timeout_s: Longest wait for another program that holds the file.

    Yields:
        The checkpointer.

    Raises:
        TransientError: Another program holds the file (``threads_locked``).
        StorageError: The disk is full or the folder cannot be written.
        UnavailableError: The file is damaged (``threads_damaged``).
    """
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"threads cannot be kept ({error.strerror}); set EDGEWRIGHT_HOME to a folder that can "
            "be written"
        ) from error
    # State holds messages and JSON values, so nothing else is ever read back from the file.
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    with clear_errors():
        async with aiosqlite.connect(path, timeout=lock_timeout_s) as connection:
            saver = AsyncSqliteSaver(connection, serde=serde)
            await saver.setup()
            yield saver


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn SQLite's errors into the package's own. What a thread held before stays as it was."""
    try:
        yield
    except sqlite3.Error as error:
        primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TransientError(
                "another program holds the file of the threads; close it and ask again, the "
                "thread is as it was",
                code="threads_locked",
            ) from error
        if primary in (
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_IOERR,
        ):
            raise StorageError(
                f"the thread cannot be written ({error}); free some space or set EDGEWRIGHT_HOME "
                "to a folder that can be written"
            ) from error
        raise UnavailableError(
            f"the file of the threads is damaged ({error}); move it away to begin anew",
            code="threads_damaged",
        ) from error
