"""The workloads of the split benchmark: models, recipes and images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.split.metrics import ACCURACY, LABEL_MATCH, Metric, caption_quality
from edgewright.tools.codec_training.images import ImageSet, labelled
from edgewright.tools.codec_training.loop import ReportProgress
from edgewright.tools.codec_training.project import split_labelled
from edgewright.tools.codec_training.recipe import TrainedRecipe, TransformRecipe, recipe_named
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.models.engines.torch.blip import BlipCaptioning
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.source import ModelSource

_HALF_TURN = Image.Transpose.ROTATE_180


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A model, the recipe of its codec, and test images that neither was trained on.

    Attributes:
        name: Name of the workload, of the codec's recipe and of its folder in the package.
        title: Title of tables and plots.
        adapter: The model.
        recipe: Recipe of its codec.
        training: Images to train on.
        validation: Images for the figures in the codec's manifest.
        test: Images to measure on.
        metric: Score of the answers.
        finest: Whether images are also sent in near-lossless qualities.
    """

    name: str
    title: str
    adapter: Chain
    recipe: TrainedRecipe | TransformRecipe
    training: ImageSet
    validation: ImageSet
    test: ImageSet
    metric: Metric = ACCURACY
    finest: bool = False


def fashion_vit() -> Workload:
    """Return a small vision transformer on Fashion-MNIST, with labels.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.tools.models.engines.torch import vit

    samples = load_source("fashion-mnist")
    assert samples.test is not None
    training, validation = split_labelled(samples, licence="MIT")
    return Workload(
        name="fashion-vit",
        title="ViT on Fashion-MNIST",
        adapter=vit.load(ModelSource(str(DATA / "fashion-vit"))),
        recipe=recipe_named("fashion-vit"),
        training=training,
        validation=validation,
        test=labelled(samples, np.flatnonzero(samples.test), part="test", licence="MIT"),
    )


def photographs(name: str) -> Workload:
    """Return EfficientNet-Lite0 on natural photographs, without labels.

    Args:
        name: Recipe; ``photographs`` cuts after a third of the model, ``photographs-early`` after
            a quarter.

    Raises:
        NotFoundError: The packages with photographs are not installed (``data_missing``).
    """
    from edgewright.benchmarks.workloads.photographs import load
    from edgewright.tools.models.engines.torch import efficientnet

    training, validation, test = load()
    adapter, recipe = efficientnet.load(), recipe_named(name)
    cut = adapter.block_names[recipe.point - 1]
    return Workload(
        name=name,
        title=f"EfficientNet-Lite0 on photographs, cut after {cut}",
        adapter=adapter,
        recipe=recipe,
        training=training,
        validation=validation,
        test=test,
        metric=LABEL_MATCH,
        finest=True,
    )


def elpv(work: Path, report: ReportProgress) -> Workload:
    """Return EfficientNet-Lite0 on solar cells, with labels; tune it first if need be.

    Args:
        work: Folder of the tuned model.
        report: Called after every step.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.benchmarks.workloads.elpv import LICENCE, load_samples, tuned

    samples = load_samples()
    assert samples.test is not None
    mirrored, validation = split_labelled(samples, licence=LICENCE)
    # A cell has no preferred orientation.
    turns = (ImageOps.mirror, ImageOps.flip, lambda cell: cell.transpose(_HALF_TURN))
    training, _ = split_labelled(samples, licence=LICENCE, augmentations=turns)
    return Workload(
        name="elpv",
        title="EfficientNet-Lite0 on solar cells (ELPV)",
        adapter=tuned(mirrored, validation, work, report),
        recipe=recipe_named("elpv"),
        training=training,
        validation=validation,
        test=labelled(samples, np.flatnonzero(samples.test), part="test", licence=LICENCE),
    )


def easy_vqa(name: str) -> Workload:
    """Return a small BLIP that answers questions about easy-VQA's images, or captions them.

    Args:
        name: ``easy-vqa-questions`` or ``easy-vqa-captions``.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.benchmarks.workloads.easy_vqa import answered, load, split_held_out
    from edgewright.benchmarks.workloads.easy_vqa_blip import MODELS

    training_scenes, validation_scenes = split_held_out(load("train"))
    test_scenes = load("test")
    adapter = MODELS[name][1](ModelSource(str(DATA / name)))
    metric, task = ACCURACY, "answers questions about"
    if isinstance(adapter, BlipCaptioning):
        references = [scene.captions for scene in test_scenes if scene.captions]
        metric, task = caption_quality(adapter, references), "describes"
    return Workload(
        name=name,
        title=f"BLIP that {task} shapes (easy-VQA)",
        adapter=adapter,
        recipe=recipe_named(name),
        training=answered(adapter, training_scenes, part="training", mirrored=True),
        validation=answered(adapter, validation_scenes, part="validation"),
        test=answered(adapter, test_scenes, part="test"),
        metric=metric,
    )


WORKLOADS: dict[str, Callable[[Path, ReportProgress], Workload]] = {
    "elpv": elpv,  # the longest, so it starts first
    "fashion-vit": lambda work, report: fashion_vit(),
    "easy-vqa-questions": lambda work, report: easy_vqa("easy-vqa-questions"),
    "easy-vqa-captions": lambda work, report: easy_vqa("easy-vqa-captions"),
    "photographs": lambda work, report: photographs("photographs"),
    "photographs-early": lambda work, report: photographs("photographs-early"),
}
#: Workloads whose codecs ship with the package, so that nothing has to be trained.
SHIPPED = (
    "fashion-vit",
    "easy-vqa-questions",
    "easy-vqa-captions",
    "photographs",
    "photographs-early",
)


def first(images: ImageSet, count: int) -> ImageSet:
    """Return the first images of a set."""
    count = min(count, images.count)
    return ImageSet(
        name=f"{images.name}, first {count}",
        licence=images.licence,
        count=count,
        read=lambda: islice(images.read(), count),
        answers=images.answers,
    )
