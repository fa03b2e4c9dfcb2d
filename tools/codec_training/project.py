"""From pictures to a codec's folder: trained or computed, and exported; and copying a half."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import ImageOps

from edgewright.tools.codec_training.answers import FirstLabel
from edgewright.tools.codec_training.cache import cached_features
from edgewright.tools.codec_training.export import export
from edgewright.tools.codec_training.images import ImageSet, Turn, labelled, photograph_crops
from edgewright.tools.codec_training.loop import ReportProgress
from edgewright.tools.codec_training.parts import Parts
from edgewright.tools.codec_training.recipe import TrainedRecipe, TransformRecipe
from edgewright.tools.codec_training.train import train
from edgewright.tools.codec_training.transform import fit_transform
from edgewright.tools.codecs.learned.manifest import (
    DEVICE_HALF,
    EDGE_HALF,
    MANIFEST,
    CodecManifest,
    Source,
    read_manifest,
)
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.engines.torch.chain import Chain

HALVES = {"device": DEVICE_HALF, "edge": EDGE_HALF}
#: One picture of so many is kept back, to choose by.
_HELD_OUT = 12


def train_codec(
    adapter: PartitionAdapter,
    recipe: TrainedRecipe | TransformRecipe,
    training: ImageSet,
    validation: ImageSet,
    *,
    features: Path,
    work: Path,
    out: Path,
    report: ReportProgress,
) -> CodecManifest:
    """Train or compute a codec, as its recipe says, and write its folder.

    A training that was broken off goes on after the last whole epoch.

    Args:
        adapter: The model, frozen.
        recipe: How.
        training: Pictures to train on.
        validation: Others, for the manifest's figures.
        features: Folder for features; other trainings on the same pictures use them too.
        work: Folder for checkpoints.
        out: Folder to write both halves and the manifest to.
        report: Told after every step.

    Raises:
        InputError: The recipe does not fit the model, or ``work`` is of another training.
        UnavailableError: CompressAI is not installed (``compressai_missing``).
    """
    if not isinstance(adapter, Chain):
        raise InputError(
            f"{adapter.model} has no blocks to train a codec between; choose a model that can be "
            "cut",
            code="model_not_cut",
        )
    if isinstance(training.answers, FirstLabel) and len(_output_shape(adapter)) > 1:
        raise InputError(
            f"{adapter.model} writes texts, and what it should write about {training.name} is not "
            "known; its codecs are trained on questions and captions, as make bench-split does",
            code="answers_missing",
        )
    points = (recipe.point, recipe.decoder_point)
    unknown = cached_features(adapter, validation, points, features / "validation", report)
    parts: Parts
    if isinstance(recipe, TransformRecipe):
        parts = fit_transform(adapter, recipe, training, report)
    else:
        known = cached_features(adapter, training, points, features / "training", report)
        work.mkdir(parents=True, exist_ok=True)
        parts = train(adapter, known, recipe, folder=work, report=report)
    source = Source(name=training.name, licence=training.licence, count=training.count)
    return export(parts, adapter, recipe, source, unknown, out)


def _output_shape(adapter: Chain) -> tuple[int, ...]:
    return adapter.feature_shape(len(adapter.block_names))


def split_labelled(
    samples: Samples, *, licence: str, turns: Sequence[Turn] = (ImageOps.mirror,)
) -> tuple[ImageSet, ImageSet]:
    """Return a set's training pictures, each also turned, and its validation pictures.

    A test split that the set defines is left alone.

    Args:
        samples: The set.
        licence: Its licence.
        turns: Take each training picture again, turned by each of these.

    Raises:
        InputError: The set is too small (``data_empty``).
    """
    usable = (
        np.arange(len(samples.labels)) if samples.test is None else np.flatnonzero(~samples.test)
    )
    held_out = len(usable) // _HELD_OUT
    if not held_out:
        raise InputError(
            f"{len(usable)} pictures are too few; give at least {_HELD_OUT}", code="data_empty"
        )
    known, unknown = usable[:-held_out], usable[-held_out:]
    return (
        labelled(samples, known, part="training", licence=licence, turns=turns),
        labelled(samples, unknown, part="validation", licence=licence),
    )


def split_photographs(
    files: list[Path], *, name: str, licence: str, each: int = 24
) -> tuple[ImageSet, ImageSet]:
    """Return ``each`` crops of most photographs for training, and of the others for validation."""
    unknown = files[::_HELD_OUT]
    known = [file for file in files if file not in unknown]
    return (
        photograph_crops(known, name=f"{name}, training", licence=licence, each=each),
        photograph_crops(unknown, name=f"{name}, validation", licence=licence, each=each),
    )


def copy_half(codec: Path, half: str, out: Path) -> CodecManifest:
    """Copy what one side needs: the manifest and its half.

    Args:
        codec: A codec's folder.
        half: ``device`` or ``edge``.
        out: Folder to copy to; made if need be.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``).
    """
    manifest = read_manifest(codec)
    out.mkdir(parents=True, exist_ok=True)
    for name in (MANIFEST, HALVES[half]):
        shutil.copyfile(codec / name, out / name)
    return manifest
