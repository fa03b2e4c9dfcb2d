"""The console script ``edgewright``; heavy imports happen inside the commands that need them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Annotated, ClassVar

import typer
import typer.core

from edgewright.cli.lazy import LazyGroup
from edgewright.cli.views.safe import Warnings, prepare_streams

# Help and usage errors in plain text: importing rich takes longer than all the rest of --help.
typer.core.HAS_RICH = False


class _Commands(LazyGroup):
    """The commands, each in a module of its name, in the order of ``--help``."""

    package: ClassVar[str] = "edgewright.cli.commands"
    summaries: ClassVar[Mapping[str, str]] = {
        "ask": "Answer a request, and show what it cost.",
        "chat": "Talk with the assistant; requests can refer to earlier images.",
        "demo": "Start a device and an edge server, and answer requests about photographs.",
        "plan": "Show the plan for a request, without running it.",
        "cards": "Check cards, draft them from manuals, approve drafts, and roll tools back.",
        "node": "Run a node until Ctrl-C or SIGTERM.",
        "serve": "Serve a web console, OpenAI's API and MCP until Ctrl-C or SIGTERM.",
        "mcp": "Serve MCP to the program that starts this command.",
        "models": "List, install, verify and remove models, and export them for ONNX Runtime.",
        "sensors": "List the sensors of a node, and read a window of one.",
        "moods": "Label moods for sensing cards, and train the cards on the labels.",
        "profile": "Measure a node's models on this machine, and store its profile.",
        "capacity": "How many servers users need, on paper and by simulation.",
        "train": "Train a model by federated learning and install it as a tool.",
        "runs": "List, show and compare training runs.",
        "federate": "Train across machines that each keep their own data.",
        "codec": "Train or compute feature codecs, export their halves, inspect them.",
        "doctor": "Check what is configured, reachable and missing, and how to fix it.",
        "gc": "Remove old threads, runs and caches, and images that no thread names.",
    }


app = typer.Typer(
    cls=_Commands,
    help="Plain-language requests over sensors, devices and edge servers.",
    epilog=(
        "Start with 'edgewright doctor', which lists what is installed and what is missing.\n\n"
        "Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted."
    ),
    no_args_is_help=True,
    suggest_commands=False,  # click does it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    prepare_streams()
    # Logs are for developers; users read messages, and warnings about their files. A node logs
    # these itself.
    if os.environ.get("EDGEWRIGHT_DEBUG"):
        logging.basicConfig(level=logging.INFO)
    logging.getLogger("edgewright").addHandler(logging.NullHandler())
    about_files = logging.getLogger("edgewright.tools")
    for handler in [each for each in about_files.handlers if isinstance(each, Warnings)]:
        about_files.removeHandler(handler)
    if context.invoked_subcommand not in ("node", "serve", "mcp"):
        about_files.addHandler(Warnings())
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("edgewright"))
        raise typer.Exit
