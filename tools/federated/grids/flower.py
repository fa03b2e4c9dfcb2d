"""Flower's own runtimes, simulation and deployment, run as subprocesses.

These run generated code without the sandbox, which a person has to approve. A deployment uses TLS,
and its SuperLink admits only registered SuperNodes, even on a single machine.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edgewright.tools.federated.grids.identities import make_identities
from edgewright.tools.federated.grids.processes import (
    free_port,
    running,
    terminate,
    unavailable,
    wait_until_healthy,
)
from edgewright.tools.federated.records.layout import TrialFolder
from edgewright.tools.federated.records.trial import TrialRequest
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.storage.scratch import scratch_folder

_START_S = 60.0
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

#: Starts a named command that is terminated at the end of the run.
_Start = Callable[[str, Sequence[str]], subprocess.Popen[bytes]]


class FlowerTraining:
    """A ``flwr run`` process that streams the log until the run ends.

    Args:
        process: The process.
        log: File with its output.
        seconds: Time limit.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
        self._process, self._log = process, log
        self._deadline = time.monotonic() + seconds
        self._timed_out = False
        self._stopped = False

    @property
    def ended(self) -> bool:
        """Whether the run has ended; it is terminated at its time limit."""
        if self._process.poll() is None and time.monotonic() > self._deadline:
            self._timed_out = True
            terminate(self._process)
        return self._process.poll() is not None

    def stop(self) -> None:
        """Stop it if it is running; this does not count as a fault."""
        if not self.ended:
            self._stopped = True
            terminate(self._process)

    def fault(self) -> Fault | None:
        """Return what went wrong; None if nothing did."""
        if self._timed_out:
            return Fault(code="timeout", message="the time limit was exceeded")
        if self._stopped or self._process.returncode == 0:
            return None
        return Fault(
            code="killed",
            message=f"'flwr run' exited with status {self._process.returncode}: "
            f"{self._log.read_text('utf-8', 'replace')[-500:]!r}",
        )


@contextmanager
def flower_run(
    request: TrialRequest, folder: TrialFolder, *, clients: int
) -> Iterator[FlowerTraining]:
    """Start a SuperLink, the SuperNodes of a deployment, and ``flwr run``.

    Args:
        request: The trial; its engine is ``simulation`` or ``deployment``.
        folder: Folder of the trial, with its app; logs are written there too.
        clients: Number of clients; in a deployment, each is a SuperNode.

    Raises:
        UnavailableError: Flower did not start (``flower_unavailable``).
    """
    logs = folder.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = stack.enter_context(scratch_folder())
        # 'flwr run' may rewrite the project file, so it works on a copy.
        app = home / "app"
        shutil.copytree(folder.app, app)

        def start(name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
            return stack.enter_context(running(name, arguments, home, logs))

        if request.engine == "simulation":
            _start_simulation(start, home, logs, clients)
        else:
            _start_deployment(start, home, logs, clients)
        process = start("run", ["flwr", "run", str(app), _LINK, "--stream"])
        yield FlowerTraining(process, logs / "run.log", request.limits.time_s)


def _start_simulation(start: _Start, home: Path, logs: Path, clients: int) -> None:
    """Start a SuperLink that simulates the clients."""
    port = free_port()
    options = _SIMULATION.format(clients=clients)
    (home / "config.toml").write_text(_CONFIG.format(port=port, options=options), "utf-8")
    superlink = start("superlink", [*_superlink(port), "--insecure", "--simulation"])
    log = logs / "superlink.log"
    wait_until_healthy(f"http://127.0.0.1:{port}", True, superlink, log, seconds=_START_S)


def _start_deployment(start: _Start, home: Path, logs: Path, clients: int) -> None:
    """Start a SuperLink, then register and start a SuperNode for each client."""
    port = free_port()
    identities = make_identities(home / "identities", addresses=("127.0.0.1",), nodes=clients)
    options = _DEPLOYMENT.format(authority=identities.authority)
    (home / "config.toml").write_text(_CONFIG.format(port=port, options=options), "utf-8")
    superlink = start(
        "superlink",
        [*_superlink(port), "--enable-supernode-auth",
         "--ssl-ca-certfile", str(identities.authority),
         "--ssl-certfile", str(identities.certificate), "--ssl-keyfile", str(identities.key)],
    )  # fmt: skip
    trusted = ssl.create_default_context(cafile=str(identities.authority))
    log = logs / "superlink.log"
    wait_until_healthy(f"https://127.0.0.1:{port}", trusted, superlink, log, seconds=_START_S)
    registering = [
        start(
            f"register-{client}",
            ["flwr", "supernode", "register", str(identities.node_public_key(client)), _LINK],
        )
        for client in range(clients)
    ]
    for client, process in enumerate(registering):
        _wait_until_done(process, logs / f"register-{client}.log")
    for client in range(clients):
        start(
            f"supernode-{client}",
            ["flower-supernode", "--superlink", f"127.0.0.1:{port}", "--port", str(free_port()),
             "--root-certificates", str(identities.authority),
             "--auth-supernode-private-key", str(identities.node_key(client)),
             "--node-config", f"partition-id={client} num-partitions={clients}"],
        )  # fmt: skip


def _superlink(port: int) -> list[str]:
    return ["flower-superlink", "--host", "127.0.0.1", "--port", str(port),
            "--disable-runtime-dependency-installation"]  # fmt: skip


def _wait_until_done(process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        if process.wait(_START_S) == 0:
            return
    except subprocess.TimeoutExpired:
        pass
    raise unavailable("a SuperNode could not be registered", log)
