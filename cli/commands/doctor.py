"""``edgewright doctor``: what is configured, reachable and missing, and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from edgewright.cli.views.output import (
    FAILED,
    Json,
    NodeUrl,
    print_table,
    reported_errors,
)
from edgewright.cli.views.safe import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from edgewright.cli.commands.checks import Check

EXAMPLES = """\
Examples:

edgewright doctor

edgewright doctor --node http://127.0.0.1:8760 --json
"""


def doctor(node: NodeUrl = None, as_json: Json = False) -> None:
    """Check what is configured, reachable and missing, and how to fix it.

    The exit code is 1 when something necessary does not work.
    """
    with reported_errors(as_json):
        import asyncio
        from dataclasses import asdict

        from edgewright.cli.commands.checks import examine

        checks = asyncio.run(examine(node))
        healthy = all(check.state != "problem" for check in checks)
        if as_json:
            print_json({"ok": healthy, "checks": [asdict(check) for check in checks]})
        else:
            print_table(_table(checks))
        if not healthy:
            raise typer.Exit(FAILED)


def _table(checks: list[Check]) -> Table:
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "note": "yellow", "problem": "red"}
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for check in checks:
        table.add_row(Text(check.state, colours[check.state]), check.name, Text(check.detail))
        if check.fix:
            table.add_row("", "", Text(f"→ {check.fix}", "bold"))
    return table
