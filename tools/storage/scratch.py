"""Temporary folders that are removed even if the process that created them is killed.

The process that owns a folder holds a lock on it. The kernel releases the lock when the process
ends for any reason, so whoever creates the next folder can detect and remove abandoned ones.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from edgewright.tools.storage.removal import MAX_SECONDS, remove

_PREFIX = "edgewright-scratch-"
#: Maximum time for abandoned folders at each start.
_ORPHANS_S = 2.0
#: Maximum number of folders that are listed; any user can create them.
_MAX_FOLDERS = 1000


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a folder private to this process and user; it is removed at the end of the block.

    If the process is killed first, the next process that creates such a folder removes it.
    """
    _remove_orphans()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        remove(folder)
        os.close(lock)


def scratch_folders() -> list[Path]:
    """List the scratch folders of all processes, up to a limit."""
    return [*islice(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"), _MAX_FOLDERS)]


def is_orphan(folder: Path) -> bool:
    """Return whether the process that owned a scratch folder is gone."""
    lock = _lock(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def remove_orphan(folder: Path, *, seconds: float = MAX_SECONDS) -> None:
    """Remove a scratch folder unless the process that owns it is alive.

    Args:
        folder: The folder.
        seconds: Maximum time; what is left is removed by the next attempt.
    """
    lock = _lock(folder)
    if lock is not None:
        remove(folder, seconds=seconds)
        os.close(lock)


def _remove_orphans() -> None:
    """Remove abandoned folders of this user for a while; none of them can stop a command."""
    deadline = time.monotonic() + _ORPHANS_S
    with suppress(OSError):
        for orphan in scratch_folders():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            remove_orphan(orphan, seconds=left)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        lock = _lock(folder)
        if lock is not None:  # otherwise removed as an orphan before it was locked
            return folder, lock


def _lock(folder: Path) -> int | None:
    """Lock a folder and return the handle; None if it is another's, locked or gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    if os.fstat(handle).st_uid == os.geteuid() and folder.exists():
        return handle
    os.close(handle)
    return None
