"""The folders of an operator and of a client; they can be moved, since no path is stored."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.deployment.records import Deployment, Invitation, Order
from edgewright.tools.federated.grids.identities import Identities

_RUN_NAME = "run-{:02d}"
_RUN = re.compile(r"run-[0-9]{2,5}")


@dataclass(frozen=True)
class _Folder:
    root: Path

    def __post_init__(self) -> None:
        # Flower's programs have another working directory.
        object.__setattr__(self, "root", self.root.expanduser().absolute())

    @property
    def flower(self) -> Path:
        """Flower's home: its configuration, state and logs."""
        return self.root / "flower"

    @property
    def logs(self) -> Path:
        """The logs of Flower's programs."""
        return self.flower / "logs"

    @property
    def programs(self) -> Path:
        """The programs that take the place of Flower's own; see ``programs.py``."""
        return self.flower / "programs"


@dataclass(frozen=True)
class DeployedRun:
    """The folder of a run on the operator's machine.

    Args:
        root: ``<deployment>/runs/run-NN``.
    """

    root: Path

    @property
    def out(self) -> Path:
        """What the server's program writes: checkpoints, progress, scores."""
        return self.root / "out"

    @property
    def checkpoints(self) -> Path:
        """One folder ``round-NNNN`` per finished round."""
        return self.out / "checkpoints"

    @property
    def scores(self) -> Path:
        """One ``RoundScore`` per round."""
        return self.out / "scores"

    @property
    def statuses(self) -> Path:
        """What the clients reported before the first round."""
        return self.out / "clients.json"

    @property
    def failure(self) -> Path:
        """Why the server's program ended without a report."""
        return self.out / "failure.json"

    @property
    def report(self) -> Path:
        """The ``DeploymentReport``, written at the end."""
        return self.root / "report.json"

    @property
    def starts(self) -> Path:
        """One line for each start of the server's program."""
        return self.out / "starts"

    @property
    def flower_id(self) -> Path:
        """Flower's id of the run's newest start."""
        return self.root / "flower-id"

    def order(self) -> Order:
        """Read how the run is carried out."""
        return Order.model_validate_json((self.root / "order.json").read_text("utf-8"))

    def write_order(self, order: Order) -> None:
        """Store how the run is carried out, and make its folders."""
        self.scores.mkdir(parents=True, exist_ok=True)
        (self.root / "order.json").write_text(order.model_dump_json(), "utf-8")

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the run's lock for a ``with`` block; yields whether it was free."""
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


@dataclass(frozen=True)
class OperatorFolder(_Folder):
    """The folder of a deployment on the operator's machine.

    Args:
        root: The folder.
    """

    @property
    def identities(self) -> Identities:
        """The certificates and the SuperLink's private key."""
        return Identities(self.root / "identities")

    @property
    def keys(self) -> Path:
        """The clients' public keys, ``client-N.pub``."""
        return self.root / "keys"

    @property
    def invitations(self) -> Path:
        """The clients' invitations, ``client-N.json``."""
        return self.root / "invitations"

    @property
    def app(self) -> Path:
        """The Flower app that is sent to the clients; it contains no path of this machine."""
        return self.root / "app"

    @property
    def initial(self) -> Path:
        """The model's initial weights."""
        return self.root / "initial"

    @property
    def nodes(self) -> Path:
        """The client number of each registered SuperNode."""
        return self.flower / "nodes.json"

    def deployment(self) -> Deployment:
        """Read the deployment.

        Raises:
            NotFoundError: The folder contains none (``no_deployment``).
        """
        try:
            text = (self.root / "deployment.json").read_text("utf-8")
            return Deployment.model_validate_json(text)
        except (OSError, ValidationError):
            raise NotFoundError(
                f"{self.root.name!r} is no deployment; 'edgewright federate init' makes one",
                code="no_deployment",
            ) from None

    def client_of(self) -> dict[int, int]:
        """Return the client number of each registered SuperNode, by node id."""
        try:
            found = json.loads(self.nodes.read_text("utf-8"))
        except OSError:
            return {}
        return {int(node): int(client) for node, client in found.items()}

    def run(self, name: str) -> DeployedRun:
        """Return the folder of a run.

        Raises:
            InputError: This is no name of a run (``bad_run``).
        """
        if not _RUN.fullmatch(name):  # it may come with an app that somebody sent
            raise InputError(
                f"{name!r} is no run of a deployment, such as 'run-01'", code="bad_run"
            )
        return DeployedRun(self.root / "runs" / name)

    def runs(self) -> list[DeployedRun]:
        """List the folders of runs, oldest first."""
        return [DeployedRun(path) for path in sorted((self.root / "runs").glob("run-*"))]

    def next_run(self) -> DeployedRun:
        """Return the newest run if it has not ended, otherwise a new one."""
        runs = self.runs()
        if runs and not runs[-1].report.exists():
            return runs[-1]
        return self.run(_RUN_NAME.format(len(runs) + 1))


@dataclass(frozen=True)
class ClientFolder(_Folder):
    """The folder of a client, which nobody else sees.

    Args:
        root: The folder.
    """

    @property
    def data(self) -> Path:
        """The training samples, which the sandbox reads."""
        return self.root / "data"

    @property
    def held(self) -> Path:
        """The validation samples; generated code sees their images alone."""
        return self.root / "held"

    @property
    def key(self) -> Path:
        """The private key of the SuperNode."""
        return self.root / "key"

    def public_key(self, client: int) -> Path:
        """Return the public key's file, which the operator needs."""
        return self.root / f"client-{client}.pub"

    @property
    def authority(self) -> Path:
        """The certificate of the authority, from the invitation."""
        return self.root / "authority.pem"

    def scratch(self, run: str) -> Path:
        """Return the sandbox's folder for a run: the client's state between rounds."""
        return self.root / "runs" / run

    def invitation(self) -> Invitation:
        """Read the invitation.

        Raises:
            NotFoundError: The folder was not prepared (``not_prepared``).
        """
        return read_invitation(self.root / "invitation.json")


def read_invitation(path: Path) -> Invitation:
    """Read an invitation.

    Raises:
        InputError: The file is not an invitation (``bad_invitation``).
        NotFoundError: There is no such file (``no_invitation``).
    """
    try:
        return Invitation.model_validate_json(path.read_text("utf-8"))
    except OSError:
        raise NotFoundError(
            f"no invitation at {path.name!r}; the operator makes one with "
            "'edgewright federate init'",
            code="no_invitation",
        ) from None
    except ValidationError:
        raise InputError(
            f"{path.name!r} is not an invitation; pass the file that the operator sent",
            code="bad_invitation",
        ) from None
