"""The client's command: prepare the own folder and take part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgewright.cli.views.output import Json, reported_errors
from edgewright.cli.views.safe import print_json, say

JOIN_EXAMPLES = """\
Examples:

edgewright federate join client-0.json --data photographs/

edgewright federate join client-0.json --prepare --data photographs/
"""


def join(
    invitation: Annotated[
        Path, typer.Argument(metavar="INVITATION", help="The file that the operator sent.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="A folder of class folders or an .npz file. [default: those given before]",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder for this client's samples and keys. [default: the invitation's name "
            "without its ending]",
        ),
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only prepare the folder; do not connect.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prepare this client's data and keys, and take part until Ctrl-C.

    Samples stay in FOLDER; what leaves it are updates of the model, numbers of
    samples and scores. Send the public key that is named to the operator.
    """
    with reported_errors(as_json):
        from edgewright.tools.federated.deployment.client.samples import (
            prepare_client,
            sample_counts,
        )
        from edgewright.tools.federated.deployment.client.supernode import join as join_deployment
        from edgewright.tools.federated.deployment.folders import ClientFolder, read_invitation

        invited = read_invitation(invitation)
        place = ClientFolder(folder or invitation.with_suffix(""))
        prepare_client(place, invited, data)
        train, held = sample_counts(place)
        key = place.public_key(invited.client)
        if as_json:
            print_json({"client": invited.client, "training": train, "validation": held,
                        "public_key": str(key)})  # fmt: skip
        else:
            say(f"send {key} to the operator, who copies it into the deployment's keys/")
        if not prepare:
            join_deployment(place, lambda line: say(line, err=True))
