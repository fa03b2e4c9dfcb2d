"""Flower's programs as subprocesses that end with their starter, and their environment."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from edgewright.tools.errors import UnavailableError
from edgewright.tools.settings import cache_folder

_STOP_S = 10.0
_POLL_S = 0.2

#: Executes a command that the kernel kills as soon as the thread that started it is gone, for any
#: reason. Subprocesses of Flower's programs end with their parents.
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def running(
    name: str, arguments: Sequence[str], home: Path, logs: Path, *, programs: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of Flower's programs in a ``with`` block, at whose end it is terminated.

    Args:
        name: Name of its log file.
        arguments: Name of the program and its arguments.
        home: Its working and home directory, with Flower's configuration.
        logs: Folder of the log file.
        programs: Folder whose programs take the place of those that Flower starts itself.
    """
    executable = Path(sys.executable).parent / arguments[0]
    with (logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - all arguments are our own
            [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), str(executable),
             *arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=flower_environment(home, programs),
            cwd=home,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        terminate(process)


def flower_environment(home: Path, programs: Path | None = None) -> dict[str, str]:
    """Return a clean environment: no keys, no telemetry, no installation at run time."""
    folders = [programs, Path(sys.executable).parent, "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(str(folder) for folder in folders if folder),
        "HOME": str(home),
        "FLWR_HOME": str(home),
        "EDGEWRIGHT_CACHE": str(cache_folder()),  # with the pretrained weights
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "COLUMNS": "120",
    }


def wait_until_healthy(
    url: str,
    trusted: ssl.SSLContext | bool,
    process: subprocess.Popen[bytes],
    log: Path,
    *,
    seconds: float,
) -> None:
    """Wait until a SuperLink answers.

    Args:
        url: Its address.
        trusted: The certificates to trust.
        process: Its process; there is nothing to wait for after its end.
        log: File with its output.
        seconds: Maximum wait.

    Raises:
        UnavailableError: It did not answer (``flower_unavailable``).
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if is_healthy(url, trusted):
            return
        time.sleep(_POLL_S)
    raise unavailable("Flower's SuperLink did not start", log)


def is_healthy(url: str, trusted: ssl.SSLContext | bool) -> bool:
    """Return whether a SuperLink answers."""
    try:
        return httpx.get(f"{url}/health", timeout=2, trust_env=False, verify=trusted).is_success
    except httpx.HTTPError:
        return False


def unavailable(what: str, log: Path) -> UnavailableError:
    """Return the error for a program that failed, with the end of its output."""
    output = log.read_text("utf-8", "replace")[-300:]
    return UnavailableError(f"{what}; its last output was {output!r}", code="flower_unavailable")


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process and its process group, and kill it if necessary."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None or signal_number == signal.SIGKILL:
            try:
                os.killpg(process.pid, signal_number)
            except ProcessLookupError:
                return
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
