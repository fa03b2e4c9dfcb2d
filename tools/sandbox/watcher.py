"""A running sandboxed process and its watcher, which enforces time, memory and disk limits."""

from __future__ import annotations

import os
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO

from edgewright.tools.sandbox.cgroups import MAX_TASKS, ControlGroup
from edgewright.tools.sandbox.faults import FaultCode
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.usage import exceeds_disk, memory_and_threads

_POLL_S = 0.05
#: Bytes that a program can write a second; it is watched so often that a disk limit is passed by
#: little, even a small one.
_WRITES_PER_S = 10_000_000_000
_DRAIN_S = 1.0
_MAX_LINE = 65_536


class ProcessHandle(ABC):
    """A process started by a backend, with its three pipes."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    @abstractmethod
    def poll(self) -> int | None:
        """Return the exit status, or None while the process is running."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the process and its descendants, and wait until they are gone."""

    @property
    @abstractmethod
    def pids(self) -> list[int]:
        """Ids of the processes to watch."""


class SandboxedProcess:
    """A sandboxed process under a watcher; a context manager that always stops it.

    Attributes:
        ended_by: Why the watcher killed the process; None if it exited by itself or is running.

    Args:
        handle: The process.
        policy: Its policy.
        group: Its control group, which is removed at its end; None if the kernel sets no limits.
    """

    def __init__(
        self, handle: ProcessHandle, policy: Policy, group: ControlGroup | None = None
    ) -> None:
        self._handle = handle
        self._group = group
        self._policy = policy
        self._started = time.monotonic()
        self._lines: queue.Queue[str] = queue.Queue()
        self._error_tail = b""
        self._output_left = policy.limits.output_bytes
        self._output_lock = threading.Lock()
        self._finished = threading.Event()
        self.ended_by: FaultCode | None = None
        self._status: int | None = None
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_lines, self._read_errors)
        ]
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        for thread in (*self._readers, self._watcher):
            thread.start()

    def __enter__(self) -> SandboxedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, line: str) -> None:
        """Write a line to the process; if it is gone, ``receive`` reports that."""
        try:
            self._handle.stdin.write(line.encode() + b"\n")
            self._handle.stdin.flush()
        except (OSError, ValueError):
            return

    def receive(self, timeout_s: float) -> str | None:
        """Return the next line it printed; None after the timeout or its end."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=_POLL_S)
            except queue.Empty:
                if self.ended and self._lines.empty():
                    return None
            else:
                return line
        return None

    def allow_output(self) -> None:
        """Allow as much output as at the start, for a process that serves many jobs."""
        with self._output_lock:
            self._output_left = self._policy.limits.output_bytes

    @property
    def ended(self) -> bool:
        """Whether the process has ended and its output has been read completely."""
        return self._finished.is_set()

    @property
    def status(self) -> int | None:
        """Exit status; None while the process is running."""
        return self._status

    @property
    def errors(self) -> str:
        """The end of its standard error, which is untrusted text."""
        return self._error_tail.decode("utf-8", "replace")

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the process to end; return its exit status, or None after the timeout."""
        self._finished.wait(timeout_s)
        return self._status

    def stop(self) -> None:
        """Kill the process if it is running, and close its pipes."""
        self._handle.kill()
        self._watcher.join(5)
        for pipe in (self._handle.stdin, self._handle.stdout, self._handle.stderr):
            _close(pipe)

    def _watch(self) -> None:
        pause_s = min(_POLL_S, self._policy.limits.disk_bytes / _WRITES_PER_S)
        while (status := self._handle.poll()) is None:
            began = time.monotonic()
            reason = self._exceeded_limit()
            if reason is not None:
                self.ended_by = reason
                self._handle.kill()
            # Counting many files takes long, and holds the program up.
            time.sleep(max(pause_s, time.monotonic() - began))
        self._status = status
        if self._group is not None:
            if self.ended_by is None and self._group.out_of_memory:
                self.ended_by = "memory"
            self._group.remove()
        # Its last output may still be in the pipes. The wait is bounded, since another process may
        # hold them open.
        for reader in self._readers:
            reader.join(_DRAIN_S)
        self._finished.set()

    def _exceeded_limit(self) -> FaultCode | None:
        limits = self._policy.limits
        if time.monotonic() - self._started > limits.time_s:
            return "timeout"
        pids = self._handle.pids
        resident, threads = memory_and_threads(pids)
        if resident > limits.memory_bytes or threads > MAX_TASKS:
            return "memory"
        if exceeds_disk(self._policy.scratch, limits.disk_bytes, pids):
            return "disk"
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
            self._error_tail = (self._error_tail + chunk)[-8192:]

    def _chunks(self, pipe: IO[bytes]) -> _Chunks:
        return _Chunks(pipe, self._spend)

    def _spend(self, size: int) -> int:
        """Return how many of these bytes the output limit allows; the excess is discarded."""
        with self._output_lock:
            allowed = max(0, min(size, self._output_left))
            self._output_left -= allowed
        return allowed


class _Chunks:
    """Reads a pipe to its end, so that the process never blocks on it; yields the allowed part."""

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


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return
