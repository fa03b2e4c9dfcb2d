"""``edgewright node``: run a node in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgewright.cli.views.output import Json, reported_errors

EXAMPLES = """\
Examples:

edgewright node --config examples/edge.yaml

edgewright node --config examples/device.yaml --port 8761
"""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="YAML file of the node. \\[default: built-in settings]",
    ),
]


def node(
    config: Config = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Port to listen on; 0 means any free one."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a node until Ctrl-C or SIGTERM.

    When it is ready, it prints one line of JSON with its URL. Its log goes
    to standard error.
    """
    with reported_errors(as_json):
        from edgewright.edge_runtime.config import load_config
        from edgewright.edge_runtime.logs import log_to_stderr
        from edgewright.edge_runtime.serve import serve

        log_to_stderr()
        serve(load_config(config, overrides={"host": host, "port": port}))
