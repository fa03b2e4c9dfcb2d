"""``edgewright node``: run a node in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edgewright.cli.views.output import Json, progress_console, reported_errors
from edgewright.cli.views.safe import print_json, say

#: Seconds for which announcements are collected.
_LISTEN_S = 3.0
EXAMPLES = """\
Examples:

edgewright node --config examples/edge.yaml

edgewright node --config examples/device.yaml --port 8761

edgewright node --config examples/device.yaml --print-config

edgewright node --find
"""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="YAML file of the node. [default: EDGEWRIGHT_NODE_CONFIG, or built-in settings]",
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
    grpc_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Port for the Open Inference Protocol over gRPC; 0 means any free one. "
            "[default: no gRPC]",
        ),
    ] = None,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config",
            help="Print the configuration that file, environment and options give, with secrets "
            "masked, and exit.",
        ),
    ] = False,
    find: Annotated[
        bool,
        typer.Option(
            "--find",
            help="List the nodes that announce themselves on the local network, and exit.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a node until Ctrl-C or SIGTERM.

    When it is ready, it prints one line of JSON with its URL. Its log goes
    to standard error.
    """
    with reported_errors(as_json):
        if find:
            _find(as_json)
            return
        from edgewright.edge_runtime.config import load_config, masked

        chosen = load_config(config, overrides={"host": host, "port": port, "grpc_port": grpc_port})
        if print_config:
            _print(masked(chosen), as_json)
            return
        from edgewright.edge_runtime.logs import log_to_stderr
        from edgewright.edge_runtime.serve import serve

        log_to_stderr()
        serve(chosen)


def _find(as_json: bool) -> None:
    import asyncio
    from dataclasses import asdict

    from edgewright.tools.nodes.discovery import find_nodes

    if not as_json:
        progress_console().print(f"listening for {_LISTEN_S:g} s", style="dim")
    found = asyncio.run(find_nodes(_LISTEN_S))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        say(f"{each.name}  {each.role}  {each.url}  Edgewright {each.version}")
        say(f"  fingerprint {each.fingerprint or 'none: not encrypted'}")
    if not found:
        say("no node announces itself here; set 'announce: true' in the configuration of one")


def _print(configuration: dict[str, Any], as_json: bool) -> None:
    import yaml

    if as_json:
        print_json(configuration)
    else:
        say(yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True), nl=False)
