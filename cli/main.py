"""The console script ``edgewright``; heavy imports happen inside the commands that need them."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer
import typer.core

from edgewright.cli.commands import (
    ask,
    cards,
    chat,
    codec,
    demo,
    doctor,
    gc,
    models,
    node,
    plan,
    profile,
    runs,
    train,
)
from edgewright.cli.views.safe import Warnings, prepare_streams

# Help and usage errors in plain text: importing rich takes longer than all the rest of --help.
typer.core.HAS_RICH = False

app = typer.Typer(
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
    if context.invoked_subcommand != "node":
        about_files.addHandler(Warnings())
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("edgewright"))
        raise typer.Exit


app.command(epilog=ask.EXAMPLES)(ask.ask)
app.command(epilog=chat.EXAMPLES)(chat.chat)
app.command(epilog=demo.EXAMPLES)(demo.demo)
app.command(epilog=plan.EXAMPLES)(plan.plan)
app.add_typer(cards.cards, name="cards")
app.command(epilog=node.EXAMPLES)(node.node)
app.add_typer(models.models, name="models")
app.command(epilog=profile.EXAMPLES)(profile.profile)
app.command(epilog=train.EXAMPLES)(train.train)
app.add_typer(runs.runs, name="runs")
app.add_typer(codec.codec, name="codec")
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=gc.EXAMPLES)(gc.gc)
