"""What the probes of the escape corpus aim at, and how each probe is run."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psutil
import pytest

CANARY = "canary-6f1c2e"
#: Before each probe, in the sandbox and outside of it.
PRELUDE = """
import ctypes, fcntl, mmap, os, resource, socket, stat, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def syscall(*arguments):
    longs = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(*longs)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
#: After it: a probe that is refused raises an exception.
REACHED = "\nprint('ESCAPED', flush=True)\n"

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.shmat.restype = ctypes.c_void_p
_PRIVATE, _CREATE, _REMOVE, _STATUS = 0, 0o1600, 0, 2


@dataclass
class Shared:
    """Objects of the kernel that outlive processes, with a canary in the shared memory."""

    segment: int
    messages: int
    semaphores: int
    queue: str
    memory: Path

    @property
    def untouched(self) -> bool:
        """Whether each of them is there as it was made."""
        status = ctypes.create_string_buffer(512)
        return (
            _LIBC.shmctl(self.segment, _STATUS, status) == 0
            and _LIBC.msgctl(self.messages, _STATUS, status) == 0
            and _LIBC.msgrcv(self.messages, status, 64, 0, 0o4000) < 0
            and _LIBC.semctl(self.semaphores, 0, 12) == 1
            and self._opens_queue()
        )

    def _opens_queue(self) -> bool:
        descriptor = _LIBC.syscall(240, self.queue.encode(), os.O_RDONLY, 0, None)
        if descriptor >= 0:
            os.close(descriptor)
        return descriptor >= 0


@contextmanager
def shared_objects() -> Iterator[Shared]:
    name = f"edgewright-{os.getpid()}"
    made = Shared(
        _LIBC.shmget(_PRIVATE, 4096, _CREATE), _LIBC.msgget(_PRIVATE, _CREATE),
        _LIBC.semget(_PRIVATE, 1, _CREATE), name, Path("/dev/shm") / name,
    )  # fmt: skip
    address = _LIBC.shmat(made.segment, None, 0)
    ctypes.memmove(address, CANARY.encode(), len(CANARY))
    _LIBC.shmdt(ctypes.c_void_p(address))
    _LIBC.semctl(made.semaphores, 0, 16, 1)
    os.close(_LIBC.syscall(240, name.encode(), 0o100 | 2, 0o600, None))
    made.memory.write_text(CANARY)
    try:
        yield made
    finally:
        _LIBC.shmctl(made.segment, _REMOVE, None)
        _LIBC.msgctl(made.messages, _REMOVE, None)
        _LIBC.semctl(made.semaphores, 0, _REMOVE)
        _LIBC.syscall(241, name.encode())
        made.memory.unlink(missing_ok=True)


@dataclass
class Outside:
    """Targets of the probes outside the sandbox, with their state before the attack."""

    root: Path
    victim: subprocess.Popen[bytes]
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    shared: Shared
    inherited: int
    terminal: str
    before: tuple[int, ...] = ()

    canary = CANARY

    @property
    def resident(self) -> int:
        """Memory of the victim in bytes."""
        return psutil.Process(self.victim.pid).memory_info().rss

    def source(self, probe: str) -> str:
        """Return the whole program of a probe, which reports that it has reached its end."""
        names = {
            "SECRET": str(self.root / "secret.txt"),
            "LINK": str(self.root / "link"),
            "HELD": str(self.root / "held" / "test_labels.npy"),
            "OUTSIDE": str(self.root / "outside"),
            "EMPTY": str(self.root / "empty"),
            "DATA": str(self.root / "data"),
            "APP": str(self.root / "app"),
            "VICTIM": str(self.victim.pid),
            "TCP": str(self.tcp.getsockname()[1]),
            "UDP": str(self.udp.getsockname()[1]),
            "UNIX": str(self.root / "unix.sock"),
            "ABSTRACT": self.abstract.getsockname()[1:].decode(),
            "SHARED": self.shared.memory.name,
            "SEGMENT": str(self.shared.segment),
            "MESSAGES": str(self.shared.messages),
            "SEMAPHORES": str(self.shared.semaphores),
            "QUEUE": self.shared.queue,
            "INHERITED": str(self.inherited),
            "PTY": self.terminal,
        }
        return PRELUDE + Template(probe).safe_substitute(names) + REACHED

    def escaped(self, output: str) -> bool:
        """Return whether a probe reached its end, or printed what it must not know."""
        return "ESCAPED" in output or CANARY in output

    def unharmed(self) -> None:
        assert self.facts() == self.before
        assert (self.root / "secret.txt").read_text() == CANARY
        assert not list((self.root / "outside").iterdir())
        assert (self.root / "data" / "train.npy").read_bytes() == b"data"
        assert self.victim.poll() is None
        assert self.shared.untouched
        for listener in (self.tcp, self.unix, self.abstract):
            with pytest.raises(BlockingIOError):
                listener.accept()
        with pytest.raises(BlockingIOError):
            self.udp.recv(10)

    def is_unharmed(self) -> bool:
        """Return whether nothing outside was changed, used or reached."""
        try:
            self.unharmed()
        except (AssertionError, pytest.fail.Exception):
            return False
        return True

    def facts(self) -> tuple[int, ...]:
        stats = [(self.root / name).stat() for name in ("secret.txt", "data/train.npy")]
        return (
            *(fact for s in stats for fact in (
                s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns, s.st_nlink
            )),
            (self.root / "empty").stat().st_ino, (self.root / "scratch").stat().st_ino,
            os.getpriority(os.PRIO_PROCESS, self.victim.pid),
            os.sched_getscheduler(self.victim.pid),
            len(os.sched_getaffinity(self.victim.pid)),
        )  # fmt: skip


@contextmanager
def targets(root: Path) -> Iterator[Outside]:
    """Make the targets in a folder, and remove what a probe may leave of them."""
    for name in ("held", "outside", "empty", "data", "app", "scratch"):
        (root / name).mkdir()
    (root / "secret.txt").write_text(CANARY)
    (root / "link").symlink_to(root / "secret.txt")
    (root / "held" / "test_labels.npy").write_text(CANARY)
    (root / "data" / "train.npy").write_bytes(b"data")
    (root / "app" / "pyproject.toml").write_text("")
    tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    tcp.bind(("127.0.0.1", 0))
    udp.bind(("127.0.0.1", 0))
    unix.bind(str(root / "unix.sock"))
    abstract.bind(f"\0edgewright-{os.getpid()}")
    for each in (tcp, unix, abstract):
        each.listen()
    for each in (tcp, udp, unix, abstract):
        each.setblocking(False)
    inherited = os.open(root / "secret.txt", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    master, slave = os.openpty()
    victim = subprocess.Popen(
        ["sleep", "600"], env={"CANARY": CANARY}, cwd=root / "held", stdin=subprocess.DEVNULL
    )
    try:
        with shared_objects() as shared:
            outside = Outside(
                root, victim, tcp, udp, unix, abstract, shared, inherited, os.ttyname(slave)
            )
            outside.before = outside.facts()
            yield outside
    finally:
        if (root / "scratch" / "own").exists():  # a probe may make it a file that nobody can remove
            subprocess.run(["chattr", "-i", root / "scratch" / "own"], check=False, stderr=-3)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        for each in (tcp, udp, unix, abstract):
            each.close()
        for descriptor in (inherited, master, slave):
            os.close(descriptor)
