"""A running sandboxed program, watched: time, memory, threads, disk and output."""

from __future__ import annotations

import os
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import IO

from edgewright.tools.sandbox.faults import FaultCode
from edgewright.tools.sandbox.policy import Policy

_POLL_S = 0.05
_LAST_WORDS_S = 1.0
_MAX_FILES = 20_000
_MAX_THREADS = 128
_MAX_LINE = 65_536


class Handle(ABC):
    """What a backend gives: a process and its three pipes."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    @abstractmethod
    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""

    @abstractmethod
    def kill(self) -> None:
        """End it and all that it started, and wait until it is gone."""

    @property
    @abstractmethod
    def pids(self) -> list[int]:
        """The processes to watch."""


class Confined:
    """A sandboxed program that is being watched; a context manager that never leaves one behind.

    Attributes:
        ended_by: Why the watcher ended it; None if it ended by itself or still runs.

    Args:
        handle: The process.
        policy: Its rules.
    """

    def __init__(self, handle: Handle, policy: Policy) -> None:
        self._handle = handle
        self._policy = policy
        self._started = time.monotonic()
        self._lines: queue.Queue[str] = queue.Queue()
        self._tail = b""
        self._output_left = policy.limits.output_bytes
        self._over = threading.Event()
        self.ended_by: FaultCode | None = None
        self._status: int | None = None
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_lines, self._read_errors)
        ]
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        for thread in (*self._readers, self._watcher):
            thread.start()

    def __enter__(self) -> Confined:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, line: str) -> None:
        """Write a line to the program; one that is gone is noticed by ``receive``."""
        try:
            self._handle.stdin.write(line.encode() + b"\n")
            self._handle.stdin.flush()
        except (OSError, ValueError):
            return

    def receive(self, timeout_s: float) -> str | None:
        """Return the next line that it printed; None if none comes or it has ended."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                return self._lines.get(timeout=_POLL_S)
            except queue.Empty:
                if self.ended and self._lines.empty():
                    return None
        return None

    @property
    def ended(self) -> bool:
        """Whether it has ended and all that it wrote has been read."""
        return self._over.is_set()

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._status

    @property
    def errors(self) -> str:
        """The end of what it wrote to standard error: text that is not to be trusted."""
        return self._tail.decode("utf-8", "replace")

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it has ended; return its exit status, or None if it still runs."""
        self._over.wait(timeout_s)
        return self._status

    def stop(self) -> None:
        """End it if it runs."""
        self._handle.kill()
        self._watcher.join(5)
        for pipe in (self._handle.stdin, self._handle.stdout, self._handle.stderr):
            _close(pipe)

    def _watch(self) -> None:
        while (status := self._handle.poll()) is None:
            reason = self._excess()
            if reason is not None:
                self.ended_by = reason
                self._handle.kill()
            time.sleep(_POLL_S)
        self._status = status
        # What it wrote last may still be in its pipes; whoever holds them open now is not it.
        for reader in self._readers:
            reader.join(_LAST_WORDS_S)
        self._over.set()

    def _excess(self) -> FaultCode | None:
        limits = self._policy.limits
        if time.monotonic() - self._started > limits.time_s:
            return "timeout"
        if _overfull(self._policy.scratch, limits.disk_bytes):
            return "disk"
        resident, threads = _resources(self._handle.pids)
        if resident > limits.memory_bytes or threads > _MAX_THREADS:
            return "memory"
        return None

    def _read_lines(self) -> None:
        pending = b""
        for chunk in self._chunks(self._handle.stdout):
            *lines, pending = (pending + chunk).split(b"\n")
            pending = pending[-_MAX_LINE:]
            for line in lines:
                self._lines.put(line[:_MAX_LINE].decode("utf-8", "replace"))

    def _read_errors(self) -> None:
        for chunk in self._chunks(self._handle.stderr):
            self._tail = (self._tail + chunk)[-8192:]

    def _chunks(self, pipe: IO[bytes]) -> _Chunks:
        return _Chunks(pipe, self._spend)

    def _spend(self, size: int) -> int:
        """Take bytes from the output allowance; what is over is read and thrown away."""
        granted = min(size, self._output_left)
        self._output_left -= granted
        return granted


class _Chunks:
    """Reads a pipe to its end, so that a program never blocks on it; yields what is allowed."""

    def __init__(self, pipe: IO[bytes], spend: Callable[[int], int]) -> None:
        self._pipe, self._spend = pipe, spend

    def __iter__(self) -> _Chunks:
        return self

    def __next__(self) -> bytes:
        while True:
            try:
                chunk = os.read(self._pipe.fileno(), 65_536)
            except (OSError, ValueError):
                chunk = b""
            if not chunk:
                raise StopIteration
            if allowed := chunk[: self._spend(len(chunk))]:
                return allowed


def _overfull(folder: Path, most_bytes: int) -> bool:
    """Say whether there is too much below a folder; what vanishes meanwhile counts nothing.

    Stops counting once it is too much: a program may fill a folder faster than it can be read.
    """
    files, size = 0, 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    files += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > most_bytes or files > _MAX_FILES:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError:
            continue
    return False


def _resources(pids: list[int]) -> tuple[int, int]:
    """Return resident bytes and threads of processes; those that are gone count nothing."""
    resident, threads = 0, 0
    for pid in pids:
        try:
            pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
            resident += int(pages) * os.sysconf("SC_PAGE_SIZE")
            threads += sum(1 for _ in os.scandir(f"/proc/{pid}/task"))
        except (OSError, IndexError):
            continue
    return resident, threads


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return
