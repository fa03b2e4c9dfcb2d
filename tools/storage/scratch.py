"""Temporary folders that go even if the process that made them is killed.

A folder's owner holds its lock, which the kernel lets go of at the owner's end, however that came
about. So whoever makes the next folder can tell which of the others nobody needs any more.
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
    """Make a folder for this process and user alone; it is removed at the end of the block.

    If the process is killed before, the next one that makes such a folder removes it.
    """
    for orphan in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove(orphan, _lock(orphan))
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        _remove(folder, lock)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        lock = _lock(folder)
        if lock is not None:  # else it was taken for an orphan before it was locked
            return folder, lock


def _lock(folder: Path) -> int | None:
    """Return a handle that locks a folder; None if it is another's or not there any more."""
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
