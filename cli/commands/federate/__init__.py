"""``edgewright federate``: training across machines that each keep their own data."""

from __future__ import annotations

import typer

from edgewright.cli.commands.federate import client, operator

EXAMPLES = """\
Examples:

edgewright federate init clinics --run RUN --clients 3 --address link.example.org

edgewright federate serve clinics

edgewright federate join client-0.json --data photographs/

edgewright federate run clinics

edgewright federate install clinics
"""

federate = typer.Typer(
    help="Train across machines that each keep their own data.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)
federate.command(epilog=operator.INIT_EXAMPLES)(operator.init)
federate.command(epilog=operator.SERVE_EXAMPLES)(operator.serve)
federate.command(epilog=client.JOIN_EXAMPLES)(client.join)
federate.command(epilog=operator.RUN_EXAMPLES)(operator.run)
federate.command(epilog=operator.INSTALL_EXAMPLES)(operator.install)
