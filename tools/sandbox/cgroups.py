"""Control groups: the kernel's own limits on memory and tasks, where this user may set them.

Both versions are supported. Version 1 mounts each controller apart, version 2 all together. A user
without root's rights has them in a delegated slice, as systemd gives one to each user.
"""

from __future__ import annotations

import functools
import os
import signal
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgewright.tools.sandbox.limits import SandboxLimits

_ROOT = Path("/sys/fs/cgroup")
_NAME = "edgewright-"
_REMOVAL_S = 2.0
_ORPHAN_S = 60.0
#: Threads of all processes; libraries start one for each core.
MAX_TASKS = 128


@dataclass(frozen=True)
class _Parents:
    """The groups below which this process may create others.

    Attributes:
        version: Version of control groups.
        memory: Group with the memory controller.
        pids: Group with the controller of tasks; the same in version 2.
    """

    version: Literal[1, 2]
    memory: Path
    pids: Path


class ControlGroup:
    """The group of one sandboxed program; its memory and tasks are limited by the kernel.

    It counts all memory: private and shared, files in temporary file systems, and buffers of pipes.

    Args:
        parents: Where to create it.
        limits: The limits.
    """

    def __init__(self, parents: _Parents, limits: SandboxLimits) -> None:
        name = f"{_NAME}{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._version = parents.version
        self._memory, self._pids = parents.memory / name, parents.pids / name
        try:
            for folder in self._folders:
                folder.mkdir()
            self._limit(limits)
        except OSError:
            self.remove()
            raise

    def add(self, pid: int) -> None:
        """Move a process into the group; those that it starts later are in it too."""
        for folder in self._folders:
            with suppress(ProcessLookupError):
                (folder / "cgroup.procs").write_text(str(pid), "ascii")

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the group for its memory."""
        name = "memory.oom_control" if self._version == 1 else "memory.events"
        return _field(self._memory / name, "oom_kill") > 0

    def remove(self) -> None:
        """Kill what is left in the group, and remove it."""
        deadline = time.monotonic() + _REMOVAL_S
        for folder in self._folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        return
                    _kill_all(folder)
                    time.sleep(0.01)

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self._memory, self._pids)))

    def _limit(self, limits: SandboxLimits) -> None:
        # Swap would only hide what is used.
        names = {
            1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
            2: ("memory.max", "memory.swap.max"),
        }[self._version]
        (self._memory / names[0]).write_text(str(limits.memory_bytes), "ascii")
        with suppress(OSError):  # a kernel without accounting of swap
            swap = limits.memory_bytes if self._version == 1 else 0
            (self._memory / names[1]).write_text(str(swap), "ascii")
        (self._pids / "pids.max").write_text(str(MAX_TASKS), "ascii")


def new_group(limits: SandboxLimits) -> ControlGroup | None:
    """Create a group; None where this user may not."""
    parents = _parents()
    if parents is None:
        return None
    try:
        return ControlGroup(parents, limits)
    except OSError:
        return None


def version() -> int:
    """Return the version of the control groups that limit programs here; 0 if there are none."""
    parents = _parents()
    return parents.version if parents else 0


@functools.cache
def _parents() -> _Parents | None:
    """Find groups of this user, and check that a group below them can be created and limited."""
    for candidate in _candidates():
        try:
            ControlGroup(candidate, SandboxLimits()).remove()
        except OSError:
            continue
        _remove_orphans(candidate)
        return candidate
    return None


def _remove_orphans(parents: _Parents) -> None:
    """Remove the empty groups of processes that were killed before they could."""
    for parent in {parents.memory, parents.pids}:
        for folder in parent.glob(f"{_NAME}*-*"):
            pid = folder.name.removeprefix(_NAME).partition("-")[0]
            with suppress(OSError):
                # In another container it may be alive; then the group is new, or not empty.
                old = time.time() - folder.stat().st_mtime > _ORPHAN_S
                if old and not Path("/proc", pid).exists():
                    folder.rmdir()


def _candidates() -> list[_Parents]:
    own: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            own |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    found = []
    if {"memory", "pids"} <= own.keys():
        found.append(_Parents(1, _ROOT / "memory" / own["memory"], _ROOT / "pids" / own["pids"]))
    if "" in own:
        # A group that has processes cannot limit its children, but its parent can.
        inner = _ROOT / own[""]
        for folder in (inner, inner.parent):
            with suppress(OSError):
                enabled = (folder / "cgroup.subtree_control").read_text("ascii").split()
                if {"memory", "pids"} <= set(enabled):
                    found.append(_Parents(2, folder, folder))
    return found


def _field(path: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        for line in path.read_text("ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


def _kill_all(folder: Path) -> None:
    with suppress(OSError, ValueError):
        for pid in (folder / "cgroup.procs").read_text("ascii").split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
