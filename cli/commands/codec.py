"""``edgewright codec``: train or compute a feature codec, export its halves, inspect it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import (
    Json,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from edgewright.tools.codec_training.images import ImageSet
    from edgewright.tools.codec_training.loop import ReportProgress
    from edgewright.tools.codecs.learned.manifest import CodecManifest

EXAMPLES = """\
Examples:

edgewright codec train fashion-vit --data fashion-mnist --json

edgewright codec inspect CODEC

edgewright codec export CODEC --half device --out on-the-device
"""

codec = typer.Typer(
    help="Train or compute feature codecs, export their halves, inspect them.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Argument(metavar="CODEC", help="Folder of the codec.")]


class Half(StrEnum):
    """A side of the cut."""

    device = "device"
    edge = "edge"


@codec.command(epilog="Example: edgewright codec train photographs --photographs holiday/")
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="photographs, photographs-early, fashion-vit, elpv, easy-vqa-captions or "
            "easy-vqa-questions.",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Labelled images: fashion-mnist, elpv or a folder of class folders.",
        ),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Photographs without labels, instead of --data."),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="Licence of the images, for the manifest.")
    ] = "not stated",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to write it. [default: 'codecs' in the state folder]"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train or compute a codec.

    After Ctrl-C, the same command resumes the training.
    """
    with reported_errors(as_json):
        from edgewright.tools.codec_training.project import train_codec
        from edgewright.tools.codec_training.recipe import recipe_named
        from edgewright.tools.errors import InputError
        from edgewright.tools.library import load_original
        from edgewright.tools.memory import keep_freed_memory
        from edgewright.tools.settings import home

        chosen = recipe_named(recipe).changed(seed=seed)
        if (data is None) == (photographs is None):
            raise InputError("give either --data or --photographs", code="data_missing")
        keep_freed_memory()
        training, validation = _images(data, photographs, licence)
        with _progress() as report:
            manifest = train_codec(
                load_original(chosen.model),
                chosen,
                training,
                validation,
                features=home() / "codec-training" / recipe,
                work=home() / "codec-training" / f"{recipe}-{seed}",
                out=out or home() / "codecs" / recipe,
                report=report,
            )
        _show(manifest, as_json)


@codec.command(epilog="Example: edgewright codec export CODEC --half edge --out half/")
def export(
    folder: Folder,
    half: Annotated[Half, typer.Option(help="The side of the cut.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to copy it.")],
    as_json: Json = False,
) -> None:
    """Copy the part for one side of the cut: the manifest and its half."""
    with reported_errors(as_json):
        from edgewright.tools.codec_training.project import copy_half

        _show(copy_half(folder, half.value, out), as_json)


@codec.command(epilog="Example: edgewright codec inspect CODEC --json")
def inspect(folder: Folder, as_json: Json = False) -> None:
    """Show a codec's source, and bytes and accuracy at its rate points."""
    with reported_errors(as_json):
        from edgewright.tools.codecs.learned.manifest import read_manifest

        _show(read_manifest(folder), as_json)


def _images(data: str | None, photographs: Path | None, licence: str) -> tuple[ImageSet, ImageSet]:
    from edgewright.tools.codec_training.images import photographs_in
    from edgewright.tools.codec_training.project import split_labelled, split_photographs

    if photographs is not None:
        files = photographs_in(photographs)
        return split_photographs(files, name=photographs.name, licence=licence)
    from edgewright.tools.datasets.sources import load_source

    assert data is not None
    return split_labelled(load_source(data), licence=licence)


@contextmanager
def _progress() -> Iterator[ReportProgress]:
    """Show one bar for each stage while the block runs."""
    from rich.progress import Progress as Bars
    from rich.progress import TaskID, TimeRemainingColumn

    from edgewright.tools.codec_training.loop import EpochProgress

    columns = Bars.get_default_columns()[:-1]
    loss = "{task.fields[loss]}"
    with Bars(*columns, TimeRemainingColumn(), loss, console=progress_console()) as bars:
        stages: dict[str, TaskID] = {}

        def report(progress: EpochProgress) -> None:
            if progress.stage not in stages:
                stages[progress.stage] = bars.add_task(
                    progress.stage, total=progress.steps, loss=""
                )
            loss = f"loss {progress.loss:.4f}" if progress.loss else ""
            bars.update(stages[progress.stage], completed=progress.step, loss=loss)

        yield report


def _show(manifest: CodecManifest, as_json: bool) -> None:
    if as_json:
        print_json(manifest.model_dump(mode="json"))
    else:
        print_table(_table(manifest))


def _table(manifest: CodecManifest) -> Table:
    from rich.table import Table

    table = Table(
        title=f"{manifest.model} {manifest.revision}, cut after block {manifest.point}",
        caption=f"made from {manifest.source.count} images: {manifest.source.name} "
        f"({manifest.source.licence}); the encoder has {manifest.encoder_parameters} parameters",
        header_style="dim",
    )
    for heading in ("codec", "payload", "entropy", "same answers", "accuracy", "fingerprint"):
        table.add_column(heading)
    for rate, figures in enumerate(manifest.rates):
        accuracy = (
            ""
            if figures.accuracy is None or figures.uncut_accuracy is None
            else f"{100 * figures.accuracy:.2f} % (uncut {100 * figures.uncut_accuracy:.2f} %)"
        )
        table.add_row(
            manifest.codec_name(rate),
            f"{figures.payload_bytes:.1f} B",
            f"{figures.entropy_bytes:.1f} B",
            f"{100 * figures.same_answers:.2f} %",
            accuracy,
            manifest.fingerprint(rate).hex(),
        )
    return table
