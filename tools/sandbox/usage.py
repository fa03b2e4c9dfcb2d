"""What a sandboxed program uses, measured from outside where the kernel sets no limit.

Limits are on use, not on names: files without a name count, and so do those in folders too deep for
any path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

#: No training nests folders deeper, nor has more files; both are treated as a full disk.
_MAX_DEPTH = 64
_MAX_FILES = 20_000
#: What follows the path of an unlinked file in the list of a process's mappings.
_UNLINKED = " (deleted)"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def exceeds_disk(folder: Path, max_bytes: int, pids: Sequence[int]) -> bool:
    """Return whether a folder and its unlinked open files exceed a limit.

    Stops counting at a limit, since a program may fill a folder faster than it can be scanned.

    Args:
        folder: The only folder that the program can write to.
        max_bytes: The limit.
        pids: The program's processes, which may hold unlinked files open.
    """
    count = _Count(max_bytes)
    try:
        top = os.open(folder, _FOLDER)
    except OSError:
        return False
    device = os.fstat(top).st_dev
    _add_folder(top, count)
    for pid in () if count.exceeded else pids:
        measured = _add_unlinked(pid, device, count)
        # Only root can look at a file that is mapped and nothing else, and no training has one.
        count.exceeded |= bool(_unlinked_maps(pid, folder) - measured)
    return count.exceeded


def _add_folder(top: int, count: _Count) -> None:
    """Count what is in an open folder, which is closed, and in the folders below it."""
    opened = [(top, os.scandir(top))]
    try:
        while opened and not count.exceeded:
            folder, entries = opened[-1]
            entry = next(entries, None)
            if entry is None:
                _close(*opened.pop())
                continue
            with suppress(OSError):  # it vanished meanwhile
                count.add(entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    opened.append((inner, os.scandir(inner)))
                    count.exceeded |= len(opened) > _MAX_DEPTH
    finally:
        for each in opened:
            _close(*each)


def _close(folder: int, entries: Iterator[os.DirEntry[str]]) -> None:
    entries.close()  # type: ignore[attr-defined]
    os.close(folder)


class _Count:
    """Counts files and their bytes until one of them exceeds its limit."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._files = 0
        self.exceeded = False

    def add(self, status: os.stat_result) -> None:
        self._files += 1
        self._left -= status.st_blocks * 512
        self.exceeded |= self._left < 0 or self._files > _MAX_FILES


def _add_unlinked(pid: int, device: int, count: _Count) -> set[int]:
    """Count the files of a device that a process holds, open or mapped, without a name.

    Returns:
        The numbers of their inodes.
    """
    seen: set[int] = set()
    for place in ("fd", "map_files"):
        try:
            with os.scandir(f"/proc/{pid}/{place}") as entries:
                paths = [entry.path for entry in entries]
        except OSError:
            continue
        for path in paths:
            try:
                status = os.stat(path)  # noqa: PTH116 - follows the link to the file itself
            except OSError:
                continue
            unnamed = stat.S_ISREG(status.st_mode) and status.st_nlink == 0
            if unnamed and status.st_dev == device and status.st_ino not in seen:
                seen.add(status.st_ino)
                count.add(status)
    return seen


def _unlinked_maps(pid: int, folder: Path) -> set[int]:
    """Return the inodes of the unlinked files of a folder that a process has mapped."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape").split("\n")
    except OSError:
        return set()
    # Address, permissions, offset, device, inode, path.
    fields = [line.split(maxsplit=5) for line in lines if line.endswith(_UNLINKED)]
    return {int(each[4]) for each in fields if each[5].startswith(f"{folder}/")}


def memory_and_threads(pids: Sequence[int]) -> tuple[int, int]:
    """Return the resident bytes and threads of processes; those that are gone are ignored."""
    resident, threads = 0, 0
    for pid in pids:
        try:
            pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
            resident += int(pages) * os.sysconf("SC_PAGE_SIZE")
            threads += sum(1 for _ in os.scandir(f"/proc/{pid}/task"))
        except (OSError, IndexError):
            continue
    return resident, threads
