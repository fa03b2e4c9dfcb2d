"""Making a deployment from a finished run: app, initial weights, certificates, invitations."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from edgewright.tools.errors import InputError
from edgewright.tools.federated.deployment.confined import initial_model, read_source
from edgewright.tools.federated.deployment.folders import OperatorFolder
from edgewright.tools.federated.deployment.initial import write_initial_model
from edgewright.tools.federated.deployment.records import Deployment, Invitation
from edgewright.tools.federated.grids.identities import make_identities
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.report import read_report
from edgewright.tools.federated.template.writer import read_settings, write_source
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.storage.atomic import new_folder

_VALIDITY = datetime.timedelta(days=365)
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,250}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True)
class Plan:
    """What to deploy, and where.

    Attributes:
        clients: Number of clients.
        address: IP address or DNS name by which clients reach this machine.
        port: Port of the SuperLink.
        trial: Number of the trial; 0 for the best one.
        rounds: Number of rounds; 0 for as many as the trial had.
    """

    clients: int
    address: str
    port: int = 8000
    trial: int = 0
    rounds: int = 0


def create_deployment(folder: OperatorFolder, run: RunFolder, plan: Plan) -> Deployment:
    """Make the folder of a deployment.

    Args:
        folder: Folder to create.
        run: A finished run.
        plan: What to deploy, and where.

    Raises:
        InputError: The folder exists (``folder_exists``), the address is none (``bad_address``), or
            the trial cannot be deployed (``no_trial``, ``local_privacy``, ``personal_head``,
            ``quorum``).
        NotFoundError: There is no such finished run (``no_report``).
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    if folder.root.exists():
        raise InputError(
            f"{folder.root.name!r} exists already; choose another folder", code="folder_exists"
        )
    if not _ADDRESS.fullmatch(plan.address):
        raise InputError(
            f"{plan.address!r} is neither an IP address nor a DNS name; give the address by which "
            "clients reach this machine, without a port",
            code="bad_address",
        )
    report = read_report(run)
    number = plan.trial or report.best
    trial = next((t for t in report.trials if t.result and t.result.number == number), None)
    if trial is None or trial.best is None:
        raise InputError(
            f"the run {report.run!r} has no completed trial {number or ''}; "
            f"'edgewright runs show {report.run}' lists its trials".replace("  ", " "),
            code="no_trial",
        )
    if isinstance(trial.candidate.local_privacy, DpSgd):
        raise InputError(
            f"trial {number} protects single samples or persons by noise of its clients, which a "
            "deployment cannot promise: its clients report how many validation samples the model "
            "gets right without noise, and count the rounds of one run alone; choose another with "
            "--trial, such as one with the strategy 'private'",
            code="local_privacy",
        )
    app = run.trial(number).app
    settings = read_settings(app).model_copy(
        # The clients' and the operator's programs put their own folders in the place of these.
        update={"data": "data", "out": "out", "clients": plan.clients, "keep_checkpoints": 0}
        | ({"rounds": plan.rounds} if plan.rounds else {})
    )
    if settings.personal_head:
        raise InputError(
            f"trial {number} keeps a layer of its own at each client, which cannot be installed "
            "elsewhere; choose another with --trial",
            code="personal_head",
        )
    if refusal := settings.strategy.refusal(settings.clients_per_round):
        raise InputError(
            f"'{settings.strategy.name}' {refusal}; a round has {settings.clients_per_round} "
            "clients: use more clients, or choose another trial with --trial",
            code="quorum",
        )
    deployment = Deployment(
        run=report.run,
        trial=number,
        purpose=report.purpose,
        data=report.data,
        clients=plan.clients,
        address=plan.address,
        port=plan.port,
    )
    with new_folder(folder.root) as part:
        part.chmod(0o700)
        made = OperatorFolder(part)
        write_source(read_source(app), settings, made.app)
        write_initial_model(made.initial, initial_model(made.app, SandboxLimits()))
        _write_identities(made, deployment)
        text = deployment.model_dump_json(indent=2)
        (part / "deployment.json").write_text(text, "utf-8")
    return deployment


def _write_identities(folder: OperatorFolder, deployment: Deployment) -> None:
    identities = make_identities(
        folder.identities.folder, addresses=(deployment.address,), nodes=0, validity=_VALIDITY
    )
    folder.keys.mkdir()
    folder.invitations.mkdir()
    data, address = deployment.data, deployment.address
    for client in range(deployment.clients):
        invitation = Invitation(
            client=client,
            clients=deployment.clients,
            address=f"[{address}]:{deployment.port}"
            if ":" in address
            else f"{address}:{deployment.port}",
            authority=identities.authority.read_text("ascii"),
            purpose=deployment.purpose,
            classes=data.classes,
            height=data.height,
            width=data.width,
            channels=data.channels,
        )
        path = folder.invitations / f"client-{client}.json"
        path.write_text(invitation.model_dump_json(indent=2), "utf-8")
