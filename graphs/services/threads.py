"""Threads on disk: a SQLite checkpointer that keeps the newest checkpoints, with clear errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from edgewright.graphs.services.thread_file import clear_errors
from edgewright.tools.errors import StorageError

#: Number of checkpoints that a thread keeps. A run resumes from the newest one, which also holds
#: its interrupts; the others show how it got there.
CHECKPOINTS = 10

# A trigger works in the transaction of the checkpoint: no second commit, and a bounded file even if
# the program is killed. Identifiers of checkpoints sort by time.
_TOO_OLD = f"""
    WHERE thread_id = NEW.thread_id AND checkpoint_ns = NEW.checkpoint_ns AND checkpoint_id <= (
        SELECT checkpoint_id FROM checkpoints
        WHERE thread_id = NEW.thread_id AND checkpoint_ns = NEW.checkpoint_ns
        ORDER BY checkpoint_id DESC LIMIT 1 OFFSET {CHECKPOINTS}
    )
"""  # noqa: S608 - a constant
_KEEP_NEWEST = f"""
CREATE TRIGGER IF NOT EXISTS keep_newest AFTER INSERT ON checkpoints BEGIN
    DELETE FROM writes {_TOO_OLD};
    DELETE FROM checkpoints {_TOO_OLD};
END;
"""  # noqa: S608

#: State holds messages and JSON values only, so no other type may be read back.
SERDE = JsonPlusSerializer(allowed_msgpack_modules=None)


@asynccontextmanager
async def open_threads(
    path: Path, *, lock_timeout_s: float = 5.0
) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpoints of threads, and create their file if it does not exist.

    Each thread keeps its newest ``CHECKPOINTS``.

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
    with clear_errors():
        async with aiosqlite.connect(path, timeout=lock_timeout_s) as connection:
            saver = AsyncSqliteSaver(connection, serde=SERDE)
            await saver.setup()
            await connection.executescript(_KEEP_NEWEST)
            yield saver
