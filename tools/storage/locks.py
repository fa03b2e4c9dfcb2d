"""Locks between processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
