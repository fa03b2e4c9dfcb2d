"""``edgewright serve``: the interfaces that people already use, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import (
    Embedded,
    Json,
    NodeUrl,
    progress_console,
    reported_errors,
)

if TYPE_CHECKING:
    from rich.console import Console

    from edgewright.servers.config import ServeConfig

EXAMPLES = """\
Examples:

edgewright serve

edgewright serve --node http://192.168.1.20:8760 --port 8780

edgewright serve --data parts/

edgewright serve --config serve.yaml
"""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="YAML file with keys, TLS and limits. [default: EDGEWRIGHT_SERVE_CONFIG, or built-in "
        "settings]",
    ),
]


def serve(
    config: Config = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on; one that others reach needs keys or TLS. "
            "[default: 127.0.0.1]",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Port to listen on; 0 means any free one. [default: 8770]",
        ),
    ] = None,
    node: NodeUrl = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="A folder of images in class folders, or an .npz file, that trainings of the "
            "console may use. Repeatable.",
        ),
    ] = None,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Serve a web console, OpenAI's API and MCP until Ctrl-C or SIGTERM.

    Open the console in a browser. Chat clients, Home Assistant, Frigate and
    agents connect to the others; the model's name is edgewright. The log goes
    to standard error.
    """
    with reported_errors(as_json):
        from edgewright.edge_runtime.logs import log_to_stderr
        from edgewright.edge_runtime.serve import write_ready_line
        from edgewright.servers.config import load_config
        from edgewright.servers.serve import serve as run
        from edgewright.tools.settings import Settings

        chosen = load_config(config, overrides={"host": host, "port": port, "data": data})
        settings = Settings.from_environment(node_url=node, embedded=embedded)
        log_to_stderr()
        console = progress_console()
        if as_json:
            run(chosen, settings, on_ready=write_ready_line)
            return
        console.print("starting; Ctrl-C stops", style="dim")
        run(chosen, settings, on_ready=lambda url: _show(console, url, chosen))


def _show(console: Console, url: str, config: ServeConfig) -> None:
    """Show where clients connect."""
    key = "one of the configured keys" if config.keys else "any; none is checked on this machine"
    for name, value in {
        "console": url,
        "OpenAI's API": f"{url}/v1",
        "MCP": f"{url}/mcp",
        "model": "edgewright",
        "API key": key,
    }.items():
        console.print(f"{name:14}{value}", markup=False, highlight=False)
