"""Flower's own runtimes, started by their commands, watched, and stopped by their ids.

These run generated code without the sandbox: a person has to approve that. A deployment speaks
TLS, and its SuperLink admits registered SuperNodes alone, here as across machines.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.grids.identities import make_identities
from edgewright.tools.federated.records.layout import TrialFolder
from edgewright.tools.federated.records.trial import TrialRequest
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.storage.scratch import scratch_folder

_START_S = 60.0
_STOP_S = 10.0
_POLL_S = 0.2
_LINK = "edgewright"
_CONFIG = """\
[superlink]
default = "edgewright"

[superlink.edgewright]
address = "127.0.0.1:{port}"
{options}"""
_SIMULATION = """\
insecure = true

[superlink.edgewright.options]
num-supernodes = {clients}
backend.client-resources.num-cpus = 1
"""
_DEPLOYMENT = """\
root-certificates = "{authority}"
"""

#: Replaces itself by a command that the kernel kills as soon as the thread that started it is gone,
#: in whatever way. Programs that Flower's programs start end with their parents by themselves.
_TIED = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""

#: Starts a named command that ends with the run.
_Start = Callable[[str, Sequence[str]], subprocess.Popen[bytes]]


class FlowerTraining:
    """A ``flwr run`` that streams until the run ends.

    Args:
        process: The command.
        log: Its output.
        seconds: Time limit.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
        self._process, self._log = process, log
        self._deadline = time.monotonic() + seconds
        self._late = False
        self._stopped = False

    @property
    def ended(self) -> bool:
        """Whether the run has ended or its time is up."""
        if self._process.poll() is None and time.monotonic() > self._deadline:
            self._late = True
            _end(self._process)
        return self._process.poll() is not None

    def stop(self) -> None:
        """End it if it runs; that is no fault then."""
        if not self.ended:
            self._stopped = True
            _end(self._process)

    def fault(self) -> Fault | None:
        """Say what went wrong."""
        if self._late:
            return Fault(code="timeout", message="the time limit passed")
        if self._stopped or self._process.returncode == 0:
            return None
        return Fault(
            code="killed",
            message=f"'flwr run' ended with status {self._process.returncode}: "
            f"{self._log.read_text('utf-8', 'replace')[-500:]!r}",
        )


@contextmanager
def flower_run(
    request: TrialRequest, folder: TrialFolder, *, clients: int
) -> Iterator[FlowerTraining]:
    """Start a SuperLink, the SuperNodes of a deployment, and ``flwr run``.

    Args:
        request: The trial; its engine is ``simulation`` or ``deployment``.
        folder: Where its app lies; logs go there too.
        clients: How many clients there are, each a SuperNode in a deployment.

    Raises:
        UnavailableError: Flower did not come up (``flower_unavailable``).
    """
    logs = folder.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = stack.enter_context(scratch_folder())
        # 'flwr run' may rewrite the project file, so it gets a copy.
        app = home / "app"
        shutil.copytree(folder.app, app)

        def start(name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
            return stack.enter_context(_started(name, arguments, home, logs))

        if request.engine == "simulation":
            _start_simulation(start, home, logs, clients)
        else:
            _start_deployment(start, home, logs, clients)
        process = start("run", ["flwr", "run", str(app), _LINK, "--stream"])
        yield FlowerTraining(process, logs / "run.log", request.limits.time_s)


def _start_simulation(start: _Start, home: Path, logs: Path, clients: int) -> None:
    """Start a SuperLink that simulates the clients."""
    port = _free_port()
    options = _SIMULATION.format(clients=clients)
    (home / "config.toml").write_text(_CONFIG.format(port=port, options=options), "utf-8")
    superlink = start("superlink", [*_superlink(port), "--insecure", "--simulation"])
    _wait_until_healthy(f"http://127.0.0.1:{port}", True, superlink, logs / "superlink.log")


def _start_deployment(start: _Start, home: Path, logs: Path, clients: int) -> None:
    """Start a SuperLink, register a SuperNode for each client, and start those."""
    port = _free_port()
    known = make_identities(home / "identities", address="127.0.0.1", nodes=clients)
    options = _DEPLOYMENT.format(authority=known.authority)
    (home / "config.toml").write_text(_CONFIG.format(port=port, options=options), "utf-8")
    superlink = start(
        "superlink",
        [*_superlink(port), "--enable-supernode-auth", "--ssl-ca-certfile", str(known.authority),
         "--ssl-certfile", str(known.certificate), "--ssl-keyfile", str(known.key)],
    )  # fmt: skip
    trusted = ssl.create_default_context(cafile=str(known.authority))
    _wait_until_healthy(f"https://127.0.0.1:{port}", trusted, superlink, logs / "superlink.log")
    registering = [
        start(
            f"register-{client}",
            ["flwr", "supernode", "register", str(known.node_public_key(client)), _LINK],
        )
        for client in range(clients)
    ]
    for client, process in enumerate(registering):
        _wait_until_done(process, logs / f"register-{client}.log")
    for client in range(clients):
        start(
            f"supernode-{client}",
            ["flower-supernode", "--superlink", f"127.0.0.1:{port}", "--port", str(_free_port()),
             "--root-certificates", str(known.authority),
             "--auth-supernode-private-key", str(known.node_key(client)),
             "--node-config", f"partition-id={client} num-partitions={clients}"],
        )  # fmt: skip


def _superlink(port: int) -> list[str]:
    return ["flower-superlink", "--host", "127.0.0.1", "--port", str(port),
            "--disable-runtime-dependency-installation"]  # fmt: skip


@contextmanager
def _started(
    name: str, arguments: Sequence[str], home: Path, logs: Path
) -> Iterator[subprocess.Popen[bytes]]:
    executable = Path(sys.executable).parent / arguments[0]
    with (logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - every argument is ours
            [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), str(executable),
             *arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(home),
            cwd=home,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        _end(process)


def _environment(home: Path) -> dict[str, str]:
    """Return a clean environment: no keys, no telemetry, no installation at run time."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "COLUMNS": "120",
    }


def _wait_until_healthy(
    url: str, trusted: ssl.SSLContext | bool, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer = httpx.get(f"{url}/health", timeout=1, trust_env=False, verify=trusted)
            if answer.is_success:
                return
        except httpx.HTTPError:
            time.sleep(_POLL_S)
    raise _not_up("Flower's SuperLink did not come up", log)


def _wait_until_done(process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        if process.wait(_START_S) == 0:
            return
    except subprocess.TimeoutExpired:
        pass
    raise _not_up("a SuperNode could not be registered", log)


def _not_up(what: str, log: Path) -> UnavailableError:
    words = log.read_text("utf-8", "replace")[-300:]
    return UnavailableError(f"{what}; its last words were {words!r}", code="flower_unavailable")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started: its group is its own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None or sign == signal.SIGKILL:
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                return
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
