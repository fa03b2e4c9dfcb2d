"""What an operator asks of its SuperLink: nodes, keys and runs."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from flwr.proto.control_pb2 import (
    ListNodesRequest,
    ListRunsRequest,
    RegisterNodeRequest,
    StopRunRequest,
    UnregisterNodeRequest,
)
from flwr.supercore.control import ControlHttpClient
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
from flwr.supercore.primitives.asymmetric import public_key_to_bytes

from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.federated.deployment.folders import OperatorFolder
from edgewright.tools.federated.grids.processes import flower_environment, is_healthy
from edgewright.tools.storage.scratch import scratch_folder

LINK = "edgewright"
_CONFIG = """\
[superlink]
default = "edgewright"

[superlink.edgewright]
address = "{address}"
root-certificates = "{authority}"
"""
_START_S = 300.0


@dataclass(frozen=True)
class Node:
    """A registered SuperNode.

    Attributes:
        number: Flower's id of it.
        name: Its name, ``client-N``.
        key: Its public key.
        online: Whether it is connected.
    """

    number: int
    name: str
    key: bytes
    online: bool


class Control:
    """A connection to the local SuperLink.

    Args:
        folder: The operator's folder.
        port: Port of the SuperLink.
    """

    def __init__(self, folder: OperatorFolder, port: int) -> None:
        self._folder = folder
        self._address = f"127.0.0.1:{port}"
        self._trusted = ssl.create_default_context(cafile=str(folder.identities.authority))

    @property
    def healthy(self) -> bool:
        """Whether the SuperLink answers."""
        return is_healthy(f"https://{self._address}", self._trusted)

    def nodes(self) -> list[Node]:
        """List the registered nodes.

        Raises:
            UnavailableError: The SuperLink does not answer (``superlink_unavailable``).
        """
        with self._client() as client:
            found = client.ListNodes(ListNodesRequest()).nodes_info
        return [
            Node(node.node_id, node.name, node.public_key, node.status == "online")
            for node in found
            if node.status != "unregistered"
        ]

    def register(self, key: bytes, name: str) -> None:
        """Admit a node."""
        with self._client() as client:
            client.RegisterNode(RegisterNodeRequest(public_key=key, name=name))

    def unregister(self, node: Node) -> None:
        """Admit a node no longer."""
        with self._client() as client:
            client.UnregisterNode(UnregisterNodeRequest(node_id=node.number))

    def run_status(self, run_id: int) -> tuple[str, str]:
        """Return the status of a run, such as ``finished``, and its details."""
        with self._client() as client:
            runs = client.ListRuns(ListRunsRequest(run_id=run_id)).run_dict
        status = runs[run_id].status
        return str(status.status), str(status.details)

    def stop_run(self, run_id: int) -> None:
        """Stop a run if it is running."""
        with self._client() as client:
            client.StopRun(StopRunRequest(run_id=run_id))

    def start_run(self, name: str) -> int:
        """Send the app to the SuperLink, which starts a run.

        Args:
            name: Name of the run's folder.

        Returns:
            Flower's id of the run.
        """
        write_config(self._folder, self._address)
        with scratch_folder() as scratch:
            # 'flwr run' may rewrite the project file, so it works on a copy.
            app = scratch / "app"
            copytree(self._folder.app, app)
            done = subprocess.run(  # noqa: S603 - all arguments are our own
                [Path(sys.executable).parent / "flwr", "run", str(app), LINK, "--format", "json",
                 "--run-config", f'out="{name}"'],
                capture_output=True,
                text=True,
                timeout=_START_S,
                env=flower_environment(self._folder.flower),
                check=False,
            )  # fmt: skip
        try:
            return int(json.loads(done.stdout)["run-id"])
        except (ValueError, KeyError, TypeError):
            raise UnavailableError(
                f"Flower did not start the run: {(done.stdout + done.stderr)[-300:]!r}",
                code="flower_unavailable",
            ) from None

    @contextmanager
    def _client(self) -> Iterator[ControlHttpClient]:
        client = ControlHttpClient.from_server_address(
            self._address,
            insecure=False,
            root_certificates=self._folder.identities.authority.read_bytes(),
            interceptors=[RuntimeVersionHttpInterceptor(component_name="flwr")],
        )
        try:
            yield client
        except httpx.HTTPStatusError as error:
            raise UnavailableError(
                f"the SuperLink refused a request ({error.response.status_code} "
                f"{error.response.text[:200]!r})",
                code="superlink_refused",
            ) from None
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the SuperLink does not answer ({error}); is 'edgewright federate serve' running?",
                code="superlink_unavailable",
            ) from None
        finally:
            client.close()


def write_config(folder: OperatorFolder, address: str) -> None:
    """Write Flower's configuration of the connection."""
    folder.flower.mkdir(exist_ok=True)
    text = _CONFIG.format(address=address, authority=folder.identities.authority)
    (folder.flower / "config.toml").write_text(text, "utf-8")


def read_key(path: Path) -> bytes:
    """Read a client's public key, as Flower wants it.

    Raises:
        InputError: The file is no such key (``bad_key``).
    """
    try:
        key = load_ssh_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InputError(
            f"{path.name!r} is no public key of a client; copy the file 'client-N.pub' that "
            "'edgewright federate join' names",
            code="bad_key",
        )
    return public_key_to_bytes(key)
