"""The operator's commands: set a deployment up, serve it, train it, install its model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.views.output import Json, reported_errors
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from edgewright.tools.federated.deployment.records import DeploymentReport

INIT_EXAMPLES = """\
Examples:

edgewright federate init clinics --run RUN --clients 3 --address link.example.org

edgewright federate init plants --run RUN --clients 5 --address 192.0.2.7 --port 9000 --rounds 20
"""
SERVE_EXAMPLES = """\
Examples:

edgewright federate serve clinics

edgewright federate serve clinics --host 192.0.2.7
"""
RUN_EXAMPLES = """\
Examples:

edgewright federate run clinics

edgewright federate run clinics --minimum 2 --round-time 120
"""
INSTALL_EXAMPLES = """\
Examples:

edgewright federate install clinics

edgewright federate install clinics --replace
"""

Deployed = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the deployment.")]


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to create for the deployment.")
    ],
    run: Annotated[
        str,
        typer.Option(metavar="RUN", help="A finished run; see 'edgewright runs list'."),
    ],
    clients: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Number of clients.")],
    address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="IP address or DNS name by which clients reach this machine."
        ),
    ],
    port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65535, help="Port of the SuperLink.")
    ] = 8000,
    trial: Annotated[
        int, typer.Option(metavar="N", min=0, help="Trial to deploy; 0 means the best one.")
    ] = 0,
    rounds: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=500, help="Number of rounds; 0 means as many as the trial had."
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Set a deployment up: app, certificates, and an invitation per client.

    The app is a trial's of a finished run. Send each client its invitation,
    FOLDER/invitations/client-N.json, which contains no secret.
    """
    with reported_errors(as_json):
        from edgewright.graphs.federated.context import run_folder
        from edgewright.tools.federated.deployment.folders import OperatorFolder
        from edgewright.tools.federated.deployment.operator.create import Plan, create_deployment

        plan = Plan(clients=clients, address=address, port=port, trial=trial, rounds=rounds)
        made = create_deployment(OperatorFolder(folder), run_folder(run), plan)
        if as_json:
            print_json({"folder": str(folder), **made.model_dump(mode="json", exclude={"data"})})
            return
        say(
            f"trial {made.trial} of {made.run} for {clients} clients is in {folder}; send each "
            f"client its file of {folder / 'invitations'}, then run "
            f"'edgewright federate serve {folder}'"
        )


def serve(
    folder: Deployed,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of the interface to listen on.")
    ] = "0.0.0.0",  # noqa: S104 - clients are on other machines
) -> None:
    """Run the SuperLink: it admits the keys in FOLDER/keys and says who joins.

    Ctrl-C stops it. What it knows is stored, so that it can be started again.
    """
    with reported_errors(False):
        from edgewright.tools.federated.deployment.folders import OperatorFolder
        from edgewright.tools.federated.deployment.operator.superlink import (
            serve as serve_deployment,
        )

        serve_deployment(OperatorFolder(folder), say, host=host)


def run(
    folder: Deployed,
    minimum: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Number of clients that a round needs; 0 means more than half."
        ),
    ] = 0,
    round_time: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, help="Maximum wait for the replies of a round."),
    ] = 600.0,
    wait: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="Maximum wait for clients that are missing."),
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Train a new run, or resume the newest one if it was interrupted.

    Progress goes to standard error, the outcome to standard output. Each
    client scores the model on its own validation samples.
    """
    with reported_errors(as_json):
        from edgewright.tools.federated.deployment.folders import OperatorFolder
        from edgewright.tools.federated.deployment.operator.training import (
            Patience,
            train_deployment,
        )
        from edgewright.tools.federated.deployment.records import Order

        place = OperatorFolder(folder)
        order = Order(
            minimum=minimum or place.deployment().clients // 2 + 1, round_time_s=round_time
        )
        name, report = train_deployment(
            place, order, Patience(clients_s=wait), lambda line: say(line, err=True)
        )
        if as_json:
            print_json({"run": name, **_outcome(report)})
            return
        say(
            f"{name}: round {report.best.round_number} of {len(report.rounds)} is the best, "
            f"{report.best.accuracy:.4f} on {_samples(report)} validation samples of "
            f"{len(report.best.clients)} clients; 'edgewright federate install {folder}' makes it "
            "a tool"
        )


def install(
    folder: Deployed,
    run: Annotated[
        str, typer.Option(metavar="RUN", help="A run of the deployment. [default: the newest]")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a tool with the same classes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Install the best model of a finished run as a tool."""
    with reported_errors(as_json):
        from edgewright.tools.federated.deployment.folders import OperatorFolder
        from edgewright.tools.federated.deployment.operator.publish import install_deployed

        tool = install_deployed(OperatorFolder(folder), run=run, replace=replace)
        if as_json:
            print_json({"tool": tool})
        else:
            say(f"{tool} is installed; 'edgewright cards history {tool}' lists its models")


def _outcome(report: DeploymentReport) -> dict[str, Any]:
    return {
        "best_round": report.best.round_number,
        "accuracy": report.best.accuracy,
        "clients": {
            client: counts.correct / counts.samples
            for client, counts in sorted(report.best.clients.items())
        },
        "rounds": [each.model_dump(mode="json") for each in report.rounds],
        "restarts": report.restarts,
    }


def _samples(report: DeploymentReport) -> int:
    return sum(counts.samples for counts in report.best.clients.values())
