"""``edgewright models``: list the models, and export them for nodes without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edgewright.cli.views.output import Json, print_table, progress_console, reported_errors
from edgewright.cli.views.safe import print_json, say

EXAMPLES = """\
Examples:

edgewright models list

edgewright models export efficientnet-lite0

edgewright models export efficientnet-lite0 --out to-copy/
"""

models = typer.Typer(
    help="List the models, and export them for ONNX Runtime.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)


@models.command(name="list", epilog="Example: edgewright models list --json")
def list_models(as_json: Json = False) -> None:
    """List the models with their exports, and what those that cannot run need."""
    with reported_errors(as_json):
        from rich.table import Table
        from rich.text import Text

        from edgewright.tools.library import models as registry

        found = [_described(spec) for spec in registry()]
        if as_json:
            print_json({"models": found})
            return
        table = Table(header_style="dim")
        for heading in ("model", "exported", "size", "needs"):
            table.add_column(heading, overflow="fold")
        for one in found:
            size = f"{one['bytes'] / 1e6:.1f} MB" if one["bytes"] else ""
            table.add_row(one["model"], one["revision"], size, Text(one["obstacle"]))
        print_table(table)


@models.command(epilog="Example: edgewright models export efficientnet-lite0 --out to-copy/")
def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Id of the model.")
    ] = "efficientnet-lite0",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder that gets one named as the model. [default: 'models' in the cache]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Export a model for ONNX Runtime.

    Writes the graphs of all heads, tails and blocks, their common weights and
    a manifest with digests. Needs PyTorch, which the exported model does not:
    copy its folder to 'models' in the cache of another machine.
    """
    with reported_errors(as_json):
        from edgewright.tools.library import models as registry
        from edgewright.tools.models.exporting import export_model
        from edgewright.tools.models.exports import export_folder

        source = registry().get(model).source_identity()
        folder = export_folder(model, source) if out is None else out / model
        with progress_console().status(f"exporting {model}"):
            manifest = export_model(model, folder)
        size, points = _bytes_in(folder), len(manifest.blocks) + 1
        if as_json:
            revision = manifest.revision
            print_json(
                {"model": model, "revision": revision, "folder": str(folder), "bytes": size,
                 "points": points}
            )  # fmt: skip
        else:
            say(
                f"{model}@{manifest.revision}: {size / 1e6:.1f} MB in {folder}, "
                f"{points} partition points"
            )


def _described(spec: Any) -> dict[str, Any]:
    from edgewright.tools.models.exports import exported_revision

    folder = spec.found_export() if spec.exportable else None
    return {
        "model": spec.id,
        "revision": exported_revision(folder) if folder else "",
        "folder": str(folder or ""),
        "bytes": _bytes_in(folder) if folder else 0,
        "obstacle": spec.obstacle(),
    }


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
