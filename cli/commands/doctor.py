"""``edgewright doctor``: what is configured, reachable and missing, and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from edgewright.cli.views.output import (
    FAILED,
    Json,
    NodeUrl,
    print_json,
    print_table,
    reported_errors,
)

if TYPE_CHECKING:
    from rich.table import Table

    from edgewright.cli.commands.checks import Check

EXAMPLES = """\
Examples:

edgewright doctor

edgewright doctor --node http://127.0.0.1:8760 --json
"""


def doctor(node: NodeUrl = None, as_json: Json = False) -> None:
    """Say what is configured, reachable and missing, and the command that mends it.

    The exit code is 1 when something that is needed does not work.
    """
    with reported_errors(as_json):
        from edgewright.cli.commands.checks import examine

        checks = asyncio.run(examine(node))
        well = all(check.state != "problem" for check in checks)
        if as_json:
            print_json({"ok": well, "checks": [asdict(check) for check in checks]})
        else:
            print_table(_table(checks))
        if not well:
            raise typer.Exit(FAILED)


def _table(checks: list[Check]) -> Table:
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("ok", "green"), "note": ("note", "yellow"), "problem": ("problem", "red")}
    table = Table("what", "state", "found", "what mends it", header_style="dim")
    for check in checks:
        found, fix = Text(check.detail), Text(check.fix)
        table.add_row(check.name, Text(*marks[check.state]), found, fix)
    return table
