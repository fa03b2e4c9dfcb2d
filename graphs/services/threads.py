"""Threads on disk: a SQLite checkpointer with clear errors."""

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
    """Open the file that stores threads, and create it if it does not exist.

    Args:
        path: The SQLite file.
        lock_timeout_s: Maximum wait for another program that has locked the file, in seconds.

    Yields:
        The checkpointer.

    Raises:
        TransientError: Another program has locked the file (``threads_locked``).
        StorageError: The disk is full or the folder cannot be written.
        UnavailableError: The file is damaged (``threads_damaged``).
    """
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"threads cannot be stored ({error.strerror}); set EDGEWRIGHT_HOME to a writable folder"
        ) from error
    # State holds messages and JSON values only, so no other type may be read back from the file.
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    with clear_errors():
        async with aiosqlite.connect(path, timeout=lock_timeout_s) as connection:
            saver = AsyncSqliteSaver(connection, serde=serde)
            await saver.setup()
            yield saver


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn SQLite's errors into the package's own. The thread keeps its last checkpoint."""
    try:
        yield
    except sqlite3.Error as error:
        primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TransientError(
                "another program has locked the threads file; close it and try again, the thread "
                "is unchanged",
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
                "to a writable folder"
            ) from error
        raise UnavailableError(
            f"the threads file is damaged ({error}); move it away to start with an empty one",
            code="threads_damaged",
        ) from error
