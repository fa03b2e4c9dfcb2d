"""``edgewright gc``: remove what is no longer needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import (
    Json,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from edgewright.graphs.services.upkeep import Removal

EXAMPLES = """\
Examples:

edgewright gc --dry-run

edgewright gc --json
"""


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove old threads, runs and caches, and images that no thread names.

    Installed models, added cards and codecs stay, and so does every image of
    a thread that is kept. The limits are settings: EDGEWRIGHT_IMAGES_MB,
    EDGEWRIGHT_CACHE_MB, EDGEWRIGHT_KEEP_UNUSED_DAYS and
    EDGEWRIGHT_KEEP_HISTORY_DAYS.
    """
    with reported_errors(as_json):
        from dataclasses import asdict

        from edgewright.graphs.services.upkeep import local_upkeep

        with progress_console().status("looking for what is no longer needed"):
            removals = local_upkeep().collect(dry_run=dry_run)
        if as_json:
            kinds = [asdict(removal) for removal in removals]
            print_json({"dry_run": dry_run, "kinds": kinds})
            return
        print_table(_table(removals))
        freed = sum(removal.removed_bytes for removal in removals)
        from edgewright.tools.units import size

        say(f"{size(freed)} {'would be freed' if dry_run else 'freed'}", err=True)


def _table(removals: Sequence[Removal]) -> Table:
    from rich.table import Table

    from edgewright.tools.units import size

    table = Table(header_style="dim")
    table.add_column("")
    for name in ("removed", "size", "kept", "size"):
        table.add_column(name, justify="right")
    for removal in removals:
        table.add_row(
            removal.kind,
            f"{removal.removed:,}",
            size(removal.removed_bytes),
            f"{removal.kept:,}",
            size(removal.kept_bytes),
        )
    return table
