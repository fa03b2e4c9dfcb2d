"""The file of the threads: its errors, and what it says without the graphs that write it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from edgewright.tools.errors import StorageError, TransientError, UnavailableError
from edgewright.tools.storage.limits import Stored

#: An image in a turn or a checkpoint; both hold strings as they are.
_IMAGE = re.compile(rb"store:([0-9a-f]{64})")
#: From the epoch of UUIDs to that of Unix, in steps of 100 ns (RFC 9562, section 5.1).
_UNIX_EPOCH = 0x01B21DD213814000

_THREADS = """
SELECT thread_id, max(checkpoint_id), sum(length(checkpoint)) FROM checkpoints GROUP BY thread_id
"""
_TEXTS = """
SELECT thread_id, checkpoint FROM checkpoints UNION ALL SELECT thread_id, value FROM writes
"""
_TURNS = "SELECT prefix, value FROM store"


def turns_of(thread: str) -> tuple[str, str]:
    """Return the namespace of a thread's turns in the store; its parts must have no dots."""
    return ("turns", quote(thread, safe="").replace(".", "%2E"))


class ThreadFile:
    """The SQLite file of the threads.

    Args:
        path: The file; it may be missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def threads(self) -> list[Stored]:
        """List the threads by name, with the sizes of their checkpoints and turns."""
        with self._opened() as file:
            turns: dict[str, int] = {}
            for name, text in _rows(file, _TURNS):
                turns[name] = turns.get(name, 0) + len(text)
            return [
                Stored(_time(newest), name, size + turns.get(_prefix(name), 0))
                for name, newest, size in _rows(file, _THREADS)
            ]

    def images(self, *, without: Collection[str] = ()) -> set[str]:
        """Return the digests of the images that turns and checkpoints name.

        Args:
            without: Threads that do not count.
        """
        found: set[str] = set()
        skipped = {*without, *map(_prefix, without)}
        with self._opened() as file:
            for query in (_TEXTS, _TURNS):
                for name, text in _rows(file, query):
                    if name not in skipped:
                        found.update(digest.decode() for digest in _IMAGE.findall(text))
        return found

    def remove(self, threads: Sequence[Stored]) -> None:
        """Remove threads, except those that have been continued since they were listed."""
        if not threads:
            return
        with self._opened() as file:
            for thread in threads:
                name = (thread.name,)
                file.execute("BEGIN IMMEDIATE")
                query = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
                (newest,) = file.execute(query, name).fetchone()
                if newest and _time(newest) == thread.used_at:
                    file.execute("DELETE FROM checkpoints WHERE thread_id = ?", name)
                    file.execute("DELETE FROM writes WHERE thread_id = ?", name)
                    file.execute("DELETE FROM store WHERE prefix = ?", (_prefix(thread.name),))
                file.execute("COMMIT")
            # While another program reads the file, it keeps its size and uses the space later.
            with suppress(sqlite3.OperationalError):
                file.execute("VACUUM")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        path = self._path if self._path.exists() else ":memory:"
        with clear_errors(), closing(sqlite3.connect(path, isolation_level=None)) as file:
            yield file


def _rows(file: sqlite3.Connection, query: str) -> Iterator[Any]:
    """Yield the rows of a query; none from a table that the file does not have yet."""
    tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    if tables.issuperset(re.findall(r"FROM (\w+)", query)):
        yield from file.execute(query)


def _time(checkpoint: str) -> float:
    """Return when a checkpoint was made, from its version 6 UUID, in seconds since the epoch."""
    value = UUID(checkpoint).int
    return ((value >> 80 << 12 | value >> 64 & 0xFFF) - _UNIX_EPOCH) / 1e7


def _prefix(thread: str) -> str:
    """Return the namespace of a thread's turns as the store writes it."""
    return ".".join(turns_of(thread))


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
