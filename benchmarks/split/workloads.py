"""The models and pictures that the split benchmark measures; each says what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.split.metrics import ACCURACY, LABEL_MATCH, Metric
from edgewright.tools.codec_training.images import ImageSet, labelled
from edgewright.tools.codec_training.loop import ReportProgress
from edgewright.tools.codec_training.project import split_labelled
from edgewright.tools.codec_training.recipe import TrainedRecipe, TransformRecipe, recipe_named
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.models.engines.torch.chain import Chain

_HALF_TURN = Image.Transpose.ROTATE_180


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A model, how its codec is trained, and pictures that neither was trained on.

    Attributes:
        name: Also the name of the codec's recipe and of its shipped folder.
        title: For people.
        adapter: The model.
        recipe: How its codec is made.
        training: Pictures to train on.
        validation: Pictures for the figures in the codec's manifest.
        test: Pictures that figures are measured on.
        metric: What is measured of the answers.
        finest: Whether pictures are also sent in qualities that are near lossless.
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
    """A small vision transformer on Fashion-MNIST, with its labels.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.tools.models.engines.torch import vit
    from edgewright.tools.models.source import ModelSource

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
    """EfficientNet-Lite0 on natural photographs, without labels.

    Args:
        name: Recipe; ``photographs`` cuts where a third of the model has run, ``photographs-early``
            where a quarter has.

    Raises:
        NotFoundError: Their packages are not installed (``data_missing``).
    """
    from edgewright.benchmarks.workloads import photographs as pictures
    from edgewright.tools.models.engines.torch import efficientnet

    training, validation, test = pictures.load()
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
    """EfficientNet-Lite0 tuned to solar cells, with their labels; it is tuned first.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.benchmarks.workloads import elpv as base

    samples = base.load_samples()
    assert samples.test is not None
    mirrored, validation = split_labelled(samples, licence=base.LICENCE)
    # A cell has neither a left nor an upper side.
    turns = (ImageOps.mirror, ImageOps.flip, lambda cell: cell.transpose(_HALF_TURN))
    training, _ = split_labelled(samples, licence=base.LICENCE, turns=turns)
    return Workload(
        name="elpv",
        title="EfficientNet-Lite0 on solar cells (ELPV)",
        adapter=base.tuned(mirrored, validation, work, report),
        recipe=recipe_named("elpv"),
        training=training,
        validation=validation,
        test=labelled(samples, np.flatnonzero(samples.test), part="test", licence=base.LICENCE),
    )


def easy_vqa(name: str) -> Workload:
    """A small BLIP that answers questions about easy-VQA's pictures, or writes their captions.

    Args:
        name: ``easy-vqa-questions`` or ``easy-vqa-captions``.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.benchmarks.split.metrics import caption_quality
    from edgewright.benchmarks.workloads.easy_vqa import answered, load, split_held_out
    from edgewright.benchmarks.workloads.easy_vqa_blip import MODELS
    from edgewright.tools.models.engines.torch.blip import BlipCaptioning
    from edgewright.tools.models.source import ModelSource

    known, held_out = split_held_out(load("train"))
    tested_on = load("test")
    adapter = MODELS[name][1](ModelSource(str(DATA / name)))
    metric, does = ACCURACY, "answers questions about"
    if isinstance(adapter, BlipCaptioning):
        references = [scene.captions for scene in tested_on if scene.captions]
        metric, does = caption_quality(adapter, references), "describes"
    return Workload(
        name=name,
        title=f"BLIP that {does} shapes (easy-VQA)",
        adapter=adapter,
        recipe=recipe_named(name),
        training=answered(adapter, known, part="training", mirrored=True),
        validation=answered(adapter, held_out, part="validation"),
        test=answered(adapter, tested_on, part="test"),
        metric=metric,
    )


WORKLOADS: dict[str, Callable[[Path, ReportProgress], Workload]] = {
    "elpv": elpv,  # takes longest, so it begins first
    "fashion-vit": lambda work, report: fashion_vit(),
    "easy-vqa-questions": lambda work, report: easy_vqa("easy-vqa-questions"),
    "easy-vqa-captions": lambda work, report: easy_vqa("easy-vqa-captions"),
    "photographs": lambda work, report: photographs("photographs"),
    "photographs-early": lambda work, report: photographs("photographs-early"),
}
#: Those whose codecs ship with the package, so that nothing has to be trained.
SHIPPED = (
    "fashion-vit",
    "easy-vqa-questions",
    "easy-vqa-captions",
    "photographs",
    "photographs-early",
)


def first(pictures: ImageSet, count: int) -> ImageSet:
    """Return the first of some pictures."""
    count = min(count, pictures.count)
    return ImageSet(
        name=f"{pictures.name}, first {count}",
        licence=pictures.licence,
        count=count,
        read=lambda: islice(pictures.read(), count),
        answers=pictures.answers,
    )
