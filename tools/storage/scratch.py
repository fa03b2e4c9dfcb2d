"""Temporary folders that are removed even if the process that created them is killed.

The process that owns a folder holds a lock on it. The kernel releases the lock when the process
ends for any reason, so whoever creates the next folder can detect and remove abandoned ones.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "edgewright-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a folder private to this process and user; it is removed at the end of the block.

    If the process is killed first, the next process that creates such a folder removes it.
    """
    for orphan in scratch_folders():
        remove_orphan(orphan)
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        _remove(folder, lock)


def scratch_folders() -> list[Path]:
    """List the scratch folders of all processes."""
    return sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))


def is_orphan(folder: Path) -> bool:
    """Return whether the process that owned a scratch folder is gone."""
    lock = _lock(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def remove_orphan(folder: Path) -> None:
    """Remove a scratch folder unless the process that owns it is alive."""
    _remove(folder, _lock(folder))


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        lock = _lock(folder)
        if lock is not None:  # otherwise removed as an orphan before it was locked
            return folder, lock


def _lock(folder: Path) -> int | None:
    """Lock a folder and return the handle; None if it is locked by another or gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    if folder.exists():
        return handle
    os.close(handle)
    return None


def _remove(folder: Path, lock: int | None) -> None:
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
