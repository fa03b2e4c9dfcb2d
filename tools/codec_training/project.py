"""Codec projects: from an image set to an exported codec, and copying one of its halves."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import ImageOps

from edgewright.tools.codec_training.answers import TopLabel
from edgewright.tools.codec_training.cache import cached_features
from edgewright.tools.codec_training.export import export
from edgewright.tools.codec_training.images import (
    Augmentation,
    ImageSet,
    labelled,
    photograph_crops,
)
from edgewright.tools.codec_training.loop import ReportProgress
from edgewright.tools.codec_training.parts import Parts
from edgewright.tools.codec_training.recipe import TrainedRecipe, TransformRecipe
from edgewright.tools.codec_training.train import train
from edgewright.tools.codec_training.transform import fit_transform
from edgewright.tools.codecs.learned.manifest import (
    DECODER_GRAPH,
    DEVICE_HALF,
    EDGE_HALF,
    ENCODER_GRAPH,
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
GRAPHS = {"device": ENCODER_GRAPH, "edge": DECODER_GRAPH}
#: One of this many images is held out for validation.
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
    """Train or fit a codec according to its recipe, and write its folder.

    An interrupted training run resumes after the last full epoch.

    Args:
        adapter: The frozen model.
        recipe: The recipe.
        training: Images to train on.
        validation: Other images, for the results in the manifest.
        features: Folder for cached features, which other runs on the same images can share.
        work: Folder for checkpoints.
        out: Folder for both halves and the manifest.
        report: Called after each step.

    Raises:
        InputError: The recipe does not match the model, or ``work`` belongs to another training
            run.
        UnavailableError: CompressAI is not installed (``compressai_missing``).
    """
    if not isinstance(adapter, Chain):
        raise InputError(
            f"{adapter.model} cannot be cut into blocks; choose a model that can",
            code="model_not_cut",
        )
    if isinstance(training.answers, TopLabel) and len(_output_shape(adapter)) > 1:
        raise InputError(
            f"{adapter.model} generates texts, but {training.name!r} has no reference texts; train "
            "its codecs on questions or captions, as make bench-split does",
            code="answers_missing",
        )
    points = (recipe.point, recipe.decoder_point)
    validation_cache = cached_features(adapter, validation, points, features / "validation", report)
    parts: Parts
    if isinstance(recipe, TransformRecipe):
        parts = fit_transform(adapter, recipe, training, report)
    else:
        training_cache = cached_features(adapter, training, points, features / "training", report)
        work.mkdir(parents=True, exist_ok=True)
        parts = train(adapter, training_cache, recipe, folder=work, report=report)
    source = Source(name=training.name, licence=training.licence, count=training.count)
    return export(parts, adapter, recipe, source, validation_cache, out)


def _output_shape(adapter: Chain) -> tuple[int, ...]:
    return adapter.feature_shape(len(adapter.block_names))


def split_labelled(
    samples: Samples, *, licence: str, augmentations: Sequence[Augmentation] = (ImageOps.mirror,)
) -> tuple[ImageSet, ImageSet]:
    """Return the training images of a data set, with augmentations, and its validation images.

    A test split that the data set defines is not used.

    Args:
        samples: The data set.
        licence: Its licence.
        augmentations: Augmentations; the training images are repeated once for each.

    Raises:
        InputError: The data set is too small (``data_empty``).
    """
    usable = (
        np.arange(len(samples.labels)) if samples.test is None else np.flatnonzero(~samples.test)
    )
    count = len(usable) // _HELD_OUT
    if not count:
        raise InputError(
            f"{len(usable)} images are too few; use at least {_HELD_OUT}", code="data_empty"
        )
    training_indices, validation_indices = usable[:-count], usable[-count:]
    return (
        labelled(
            samples, training_indices, part="training", licence=licence, augmentations=augmentations
        ),
        labelled(samples, validation_indices, part="validation", licence=licence),
    )


def split_photographs(
    files: list[Path], *, name: str, licence: str, each: int = 24
) -> tuple[ImageSet, ImageSet]:
    """Return ``each`` crops per photograph: of most for training, of the others for validation."""
    training_files, validation_files = held_out(files)
    return (
        photograph_crops(training_files, name=f"{name}, training", licence=licence, each=each),
        photograph_crops(validation_files, name=f"{name}, validation", licence=licence, each=each),
    )


def held_out(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Divide photographs into those to train on and those to validate on."""
    validation_files = files[::_HELD_OUT]
    return [file for file in files if file not in validation_files], validation_files


def copy_half(codec: Path, half: str, out: Path) -> CodecManifest:
    """Copy the files that one side needs: the manifest and its half.

    Args:
        codec: Folder of the codec.
        half: ``device`` or ``edge``.
        out: Folder to copy to; created if missing.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``).
    """
    manifest = read_manifest(codec)
    out.mkdir(parents=True, exist_ok=True)
    graphs = [name for name in manifest.graphs if name == GRAPHS[half]]
    for name in (MANIFEST, HALVES[half], *graphs):
        shutil.copyfile(codec / name, out / name)
    return manifest
