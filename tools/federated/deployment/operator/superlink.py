"""The SuperLink of a deployment: it runs, admits the clients' keys, and says who is there."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen

from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.federated.deployment.folders import OperatorFolder
from edgewright.tools.federated.deployment.operator.control import (
    Control,
    Node,
    read_key,
    write_config,
)
from edgewright.tools.federated.deployment.programs import write_programs
from edgewright.tools.federated.grids.processes import (
    running,
    unavailable,
    wait_until_healthy,
)
from edgewright.tools.storage.atomic import write_file

#: The program of Flower's whose place ours takes.
_PROGRAM = "flwr-serverapp"
_START_S = 120.0
_POLL_S = 2.0
_KEY = re.compile(r"client-(0|[1-9][0-9]{0,2})\.pub")


def serve(folder: OperatorFolder, on_event: Callable[[str], None], *, host: str) -> None:
    """Run the SuperLink until it is interrupted; its state survives a restart.

    Args:
        folder: The operator's folder.
        on_event: Receives a line whenever something changes.
        host: Address of the interface to listen on.

    Raises:
        UnavailableError: The SuperLink did not start or has ended (``flower_unavailable``).
    """
    deployment = folder.deployment()
    with _superlink(folder, host, deployment.port) as process:
        on_event(
            f"SuperLink at {deployment.address}:{deployment.port}; clients take part with "
            f"{folder.invitations.name}/client-N.json, and their keys belong in {folder.keys.name}/"
        )
        admission = Admission(folder, deployment.clients, Control(folder, deployment.port))
        while process.poll() is None:
            for line in admission.update():
                on_event(line)
            time.sleep(_POLL_S)
    raise unavailable("the SuperLink has ended", folder.logs / "superlink.log")


class Admission:
    """Admits the keys in the operator's folder and notices who joins and who is gone.

    Args:
        folder: The operator's folder.
        clients: Number of clients.
        control: Connection to the SuperLink.
    """

    def __init__(self, folder: OperatorFolder, clients: int, control: Control) -> None:
        self._folder, self._clients, self._control = folder, clients, control
        self._complaints: set[str] = set()
        self._states: dict[int, str] = dict.fromkeys(range(clients), "")

    def update(self) -> Iterator[str]:
        """Admit new keys; yield a line for each client whose state has changed."""
        try:
            nodes = self._control.nodes()
            registered = self._register(nodes)
            nodes = self._control.nodes() if registered else nodes
        except UnavailableError:
            return  # it is starting, or busy
        except InputError as error:
            if error.message not in self._complaints:
                self._complaints.add(error.message)
                yield error.message
            return
        names = {f"client-{client}": client for client in range(self._clients)}
        known = {names[node.name]: node for node in nodes if node.name in names}
        by_node = {str(node.number): client for client, node in known.items()}
        write_file(self._folder.nodes, json.dumps(by_node).encode())
        for client in range(self._clients):
            yield from self._changed(client, known.get(client))

    def _changed(self, client: int, node: Node | None) -> Iterator[str]:
        before = self._states[client]
        if node is None:
            state = f"no key yet; copy its client-{client}.pub into keys/"
        elif node.online:
            state = "joined"
        elif before in ("joined", "gone"):
            state = "gone"
        else:
            state = "admitted; it has not connected yet"
        self._states[client] = state
        if state != before:
            yield f"client {client}: {state}"

    def _register(self, nodes: list[Node]) -> bool:
        """Register keys that the SuperLink does not know; return whether there were any."""
        changed = False
        by_name = {node.name: node for node in nodes}
        for path in sorted(self._folder.keys.glob("*.pub")):
            named = _KEY.fullmatch(path.name)
            if not named or int(named[1]) >= self._clients:
                raise InputError(
                    f"keys/{path.name} is not of a client of this deployment; it must bear the "
                    "name 'client-N.pub'",
                    code="bad_key",
                )
            key = read_key(path)
            node = by_name.get(path.stem)
            if node is not None and node.key != key:
                self._control.unregister(node)
            if node is None or node.key != key:
                self._control.register(key, path.stem)
                changed = True
        return changed


@contextmanager
def _superlink(folder: OperatorFolder, host: str, port: int) -> Iterator[Popen[bytes]]:
    identities = folder.identities
    folder.logs.mkdir(parents=True, exist_ok=True)
    write_programs(folder, _PROGRAM, f"{__package__}.program")
    write_config(folder, f"127.0.0.1:{port}")
    arguments = [
        "flower-superlink", "--host", host, "--port", str(port),
        "--database", str(folder.flower / "state.db"),
        "--disable-runtime-dependency-installation", "--enable-supernode-auth",
        "--ssl-ca-certfile", str(identities.authority),
        "--ssl-certfile", str(identities.certificate), "--ssl-keyfile", str(identities.key),
    ]  # fmt: skip
    with running(
        "superlink", arguments, folder.flower, folder.logs, programs=folder.programs
    ) as process:
        wait_until_healthy(
            f"https://127.0.0.1:{port}",
            ssl.create_default_context(cafile=str(identities.authority)),
            process,
            folder.logs / "superlink.log",
            seconds=_START_S,
        )
        yield process
