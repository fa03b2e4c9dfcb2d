"""The sandbox backends, bubblewrap and sandlock, and the choice between them."""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from edgewright.tools.errors import UnavailableError
from edgewright.tools.sandbox.cgroups import new_group, version
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.watcher import ProcessHandle, SandboxedProcess
from edgewright.tools.storage.scratch import scratch_folder

_KILL_WAIT_S = 5.0
_EXEC_WAIT_S = 2.0
_PROBE_TIME_S = 10.0
_SECRET = "edgewright-sandbox-probe"  # noqa: S105 - a canary that only the probe uses


class Sandbox(Protocol):
    """A backend that starts programs under a policy.

    Attributes:
        name: ``sandlock`` or ``bubblewrap``.
    """

    name: str

    def start(self, command: Sequence[str], policy: Policy) -> SandboxedProcess:
        """Start a program; the policy's scratch folder must exist."""
        ...


class Sandlock:
    """Confines with Landlock and seccomp, without root or namespaces; ends with its parent."""

    name = "sandlock"

    def start(self, command: Sequence[str], policy: Policy) -> SandboxedProcess:
        """Start a program; the policy's scratch folder must exist."""
        sandlock = importlib.import_module("sandlock")
        sandbox = sandlock.Sandbox(
            fs_readable=policy.readable(),
            fs_writable=[str(policy.scratch)],
            clean_env=True,
            env=policy.environment(),
            cwd=str(policy.scratch),
            # A backstop: the kernel limit set inside the sandbox raises MemoryError in Python
            # first.
            max_memory=2 * policy.limits.memory_bytes,
            max_processes=policy.limits.processes,
            max_open_files=policy.limits.open_files,
            no_coredump=True,
        )
        piped = sandlock.StdioMode.PIPED
        process = sandbox.popen(list(command), stdin=piped, stdout=piped, stderr=piped)
        group = new_group(policy.limits)
        if group is not None:
            # The interpreter has hardly started, and our own code runs before any other.
            group.add(int(process.pid))
        wait_for_exec(int(process.pid))
        return SandboxedProcess(_SandlockHandle(process), policy, group)


def wait_for_exec(pid: int) -> None:
    """Wait until a child process has started its own program.

    Until then it is a copy of this process, whose memory the watcher would attribute to the
    program. The wait is bounded, so that a program that imitates a copy is watched too.
    """
    own = _command_line("self")
    deadline = time.monotonic() + _EXEC_WAIT_S
    while _command_line(pid) == own and time.monotonic() < deadline:
        time.sleep(0.001)


def _command_line(pid: int | str) -> bytes:
    """Return the command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class _SandlockHandle(ProcessHandle):
    def __init__(self, process: Any) -> None:
        self._process = process
        self._pid = int(process.pid)
        self._status: int | None = None
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    def poll(self) -> int | None:
        if self._status is None and self._has_exited():
            self._status = int(self._process.wait(timeout=_KILL_WAIT_S).exit_code)
        return self._status

    def kill(self) -> None:
        self._process.kill()

    @property
    def pids(self) -> list[int]:
        return [self._pid]

    def _has_exited(self) -> bool:
        """Check without reaping; sandlock's own wait reaps the process and frees its resources."""
        try:
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True


class Bubblewrap:
    """Confines with separate namespaces, in which nothing else exists."""

    name = "bubblewrap"

    def start(self, command: Sequence[str], policy: Policy) -> SandboxedProcess:
        """Start a program; the policy's scratch folder must exist."""
        executable = shutil.which("bwrap")
        if executable is None:
            raise UnavailableError(
                "bubblewrap is not installed; run 'apt-get install bubblewrap'", code="no_sandbox"
            )
        arguments = [
            executable, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session",
            "--clearenv", "--cap-drop", "ALL", "--disable-userns", "--proc", "/proc",
        ]  # fmt: skip
        for path in policy.readable():
            if path.startswith("/dev/"):
                arguments += ["--dev-bind", path, path]
            elif not path.startswith("/proc/"):
                arguments += ["--ro-bind", path, path]
        scratch = str(policy.scratch)
        # Whatever else is in memory, the root included, is not writable. Nor is /proc: the settings
        # of the host's kernel are in it, and files of root there open to root without any rights.
        arguments += ["--bind", scratch, scratch, "--remount-ro", "/", "--remount-ro", "/proc"]
        arguments += ["--chdir", scratch]
        for name, value in policy.environment().items():
            arguments += ["--setenv", name, value]
        process = subprocess.Popen(  # noqa: S603 - all arguments are our own
            [*arguments, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            bufsize=0,
        )
        group = new_group(policy.limits)
        if group is not None:
            group.add(process.pid)  # what it starts from now on is in the group too
            for pid in _descendants(process.pid):
                group.add(pid)
        return SandboxedProcess(_BubblewrapHandle(process), policy, group)


class _BubblewrapHandle(ProcessHandle):
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.stdin, self.stdout, self.stderr = map(_pipe, (
            process.stdin, process.stdout, process.stderr
        ))  # fmt: skip

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        # Bubblewrap ties its inner process to its own life only after starting it, so killing it
        # earlier would leave that process behind. While stopped, it starts no further processes.
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGSTOP)
        for pid in reversed(self.pids):
            _kill(pid)
        self._process.wait(_KILL_WAIT_S)

    @property
    def pids(self) -> list[int]:
        return _descendants(self._process.pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the process was started without pipes")
    return pipe


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def enforcement(backend: str) -> str:
    """Return which limits the kernel enforces here, which the watcher does, and what stays visible.

    Args:
        backend: Name of the backend in use.
    """
    kernel = version()
    limits = (
        f"limits by the kernel: size of a file, memory and threads (control groups {kernel}); "
        "watched: time, disk"
        if kernel
        else "limits by the kernel: size of a file; watched: time, disk, memory, threads"
    )
    visible = "; names and sizes of other files are not hidden, which bubblewrap would do"
    return limits + (visible if backend == Sandlock.name else "")


#: Those that hide more come first.
BACKENDS: tuple[Sandbox, ...] = (Bubblewrap(), Sandlock())


@functools.cache
def find_sandbox() -> Sandbox:
    """Return the first backend that actually confines programs on this machine.

    Each is probed with a program that must run but must not be able to read a secret.

    Raises:
        UnavailableError: No backend works (``no_sandbox``); the message says what to install.
    """
    reasons = []
    for backend in BACKENDS:
        reason = _probe(backend)
        if not reason:
            return backend
        reasons.append(f"{backend.name}: {reason}")
    raise UnavailableError(
        "generated code runs only in a sandbox, and no sandbox works here ("
        + "; ".join(reasons)
        + "); run 'pip install sandlock' on Linux 6.12 or newer, or 'apt-get install bubblewrap' "
        "where user namespaces are allowed",
        code="no_sandbox",
    )


def _probe(backend: Sandbox) -> str:
    """Return why a backend cannot be used; empty if it can."""
    with scratch_folder() as folder:
        (folder / "secret").write_text(_SECRET, "utf-8")
        scratch = folder / "scratch"
        scratch.mkdir()
        program = "try: print(open('../secret').read())\nexcept OSError: print('confined')"
        limits = SandboxLimits(time_s=_PROBE_TIME_S)
        policy = Policy(scratch=scratch, limits=limits)
        try:
            with backend.start([sys.executable, "-I", "-S", "-c", program], policy) as process:
                line = process.receive(_PROBE_TIME_S)
                return "" if line == "confined" else f"it does not confine ({process.errors[:200]})"
        except (ImportError, OSError, RuntimeError, UnavailableError) as error:
            return str(error)
