"""Locks between processes."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

_POLL_S = 0.05


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock for the block; another process that wants it waits.

    The kernel releases the lock when the process ends for any reason.

    Args:
        path: File of the lock, which is created and left behind; its folder must exist.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def one_at_a_time(path: Path, name: str) -> AsyncIterator[None]:
    """Hold one of many locks in a file for the block; other tasks and processes wait for it.

    Each name is a byte of the file, which needs no cleaning up and may lie beyond its end. The lock
    belongs to this opening of the file, so tasks of one process exclude each other too.

    Args:
        path: File of the locks, which is created and left behind; its folder must exist.
        name: Name of the lock.
    """
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=7).digest()
    # struct flock: type, whence, start, length, process.
    byte = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, int.from_bytes(digest, "big"), 1, 0)
    with path.open("ab") as file:
        while not _is_free(file.fileno(), byte):
            await asyncio.sleep(_POLL_S)
        yield


def _is_free(descriptor: int, byte: bytes) -> bool:
    """Take a lock unless another holds it."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, byte)
    except (BlockingIOError, PermissionError):
        return False
    return True
