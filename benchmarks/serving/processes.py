"""What the processes of a server take: time of processors, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class RunningServer:
    """A server that runs on this machine.

    Attributes:
        port: Port that it listens on.
        pid: Process id; what it started counts too.
    """

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time of its processes since they began, in seconds."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def memory_mb(self) -> float:
        """Return its proportional set size in MB: memory that processes share counts once."""
        sizes = 0
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                sizes += process.memory_full_info().pss
        return sizes / 1e6

    def stop(self) -> None:
        """End its processes; some servers leave what they have started behind."""
        with suppress(psutil.NoSuchProcess):
            for process in list(self._processes()):
                with suppress(psutil.NoSuchProcess):
                    process.terminate()

    def _processes(self) -> Iterator[psutil.Process]:
        own = psutil.Process(self.pid)
        yield own
        yield from own.children(recursive=True)
