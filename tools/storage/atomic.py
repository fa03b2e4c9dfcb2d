"""Atomic writes: files and folders are written beside their target, then renamed onto it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgewright.tools.storage.removal import remove


def write_file(path: Path, data: bytes) -> None:
    """Write or replace a file atomically; several processes may do so concurrently.

    Args:
        path: The file; its folder must exist.
        data: The new content, synced to disk before the rename.

    Raises:
        OSError: Writing failed; an earlier file is unchanged and no temporary file remains.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a folder in a ``with`` block; at the end it replaces an earlier one.

    Args:
        path: The folder; its parent is created if missing.

    Yields:
        The folder to fill, beside its final path. It is removed if the block raises.
    """
    part = path.with_name(f".{path.name}.part")
    remove(part)
    part.mkdir(parents=True)
    try:
        yield part
        remove(path)
        part.rename(path)
    except BaseException:
        remove(part)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make a rename survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
