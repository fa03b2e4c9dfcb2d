"""Removal of folders that others have filled: any depth, any names, any modes.

``shutil.rmtree`` recurses, so a program that nests a few thousand folders makes it fail.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
#: Maximum time for one folder; what is left is removed by the next attempt.
MAX_SECONDS = 60.0


def remove(path: Path, *, seconds: float = MAX_SECONDS) -> bool:
    """Remove a file or a folder with all its contents; links are removed, not followed.

    Folders inside are moved up to the top before they are emptied, so that the depth never exceeds
    two and the number of open files is constant. No path is built from the names inside, which may
    be longer together than any path may be.

    Args:
        path: The file or folder; it may be missing.
        seconds: Maximum time.

    Returns:
        Whether nothing is left. No error is raised: what cannot be removed stays.
    """
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return True
        top = _open(path.name, os.open(path.parent, _DIRECTORY), close=True)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        _Emptying(top, time.monotonic() + seconds).run()
        path.rmdir()
    except (OSError, TimeoutError):
        return not path.exists()
    finally:
        os.close(top)
    return True


class _Emptying:
    """Empties one folder."""

    def __init__(self, top: int, deadline: float) -> None:
        self._top = top
        self._deadline = deadline
        self._moved = 0

    def run(self) -> None:
        while folders := self._clear(self._top):
            for name in folders:
                folder = _open(name, self._top)
                try:
                    for child in self._clear(folder):
                        self._move_up(child, folder)
                finally:
                    os.close(folder)
                os.rmdir(name, dir_fd=self._top)

    def _clear(self, folder: int) -> list[str]:
        """Remove the files of a folder and return the names of its folders."""
        folders = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if time.monotonic() > self._deadline:
                    raise TimeoutError
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                else:
                    os.unlink(entry.name, dir_fd=folder)
        return folders

    def _move_up(self, name: str, folder: int) -> None:
        # Moving a folder rewrites its entry "..", which needs the right to write to it.
        os.close(_open(name, folder))
        while True:
            self._moved += 1
            try:
                os.rename(name, f".{self._moved}", src_dir_fd=folder, dst_dir_fd=self._top)
            except FileExistsError:
                continue
            except OSError:  # the name is taken by a folder that is not empty
                if not _exists(f".{self._moved}", self._top):
                    raise
            else:
                return


def _exists(name: str, folder: int) -> bool:
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _open(name: str, parent: int, *, close: bool = False) -> int:
    """Open a folder after taking all rights to it, which its creator may have removed."""
    try:
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            if os.fstat(handle).st_mode & 0o700 != 0o700:
                os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101 - of this very folder
        finally:
            os.close(handle)
        return os.open(name, _DIRECTORY, dir_fd=parent)
    finally:
        if close:
            os.close(parent)
