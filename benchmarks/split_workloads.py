"""The models and pictures that the split benchmark measures; each says what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from edgewright.benchmarks.split_metrics import ACCURACY, AGREEMENT, Metric
from edgewright.tools.federated.sources import load_source
from edgewright.tools.split.adapters.chain import Chain
from edgewright.tools.split.learned.loop import Report
from edgewright.tools.split.learned.pictures import Pictures, labelled
from edgewright.tools.split.learned.project import split_labelled
from edgewright.tools.split.learned.recipe import Recipe, TransformRecipe, recipe_named

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
    recipe: Recipe | TransformRecipe
    training: Pictures
    validation: Pictures
    test: Pictures
    metric: Metric = ACCURACY
    finest: bool = False


def fashion_vit() -> Workload:
    """A small vision transformer on Fashion-MNIST, with its labels.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.tools.split.adapters import vit
    from edgewright.tools.split.adapters.source import ModelSource

    samples = load_source("fashion-mnist")
    assert samples.test is not None
    training, validation = split_labelled(samples, licence="MIT")
    model = Path(str(files("edgewright.benchmarks") / "data" / "fashion-vit"))
    return Workload(
        name="fashion-vit",
        title="ViT on Fashion-MNIST",
        adapter=vit.load(ModelSource(str(model))),
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
    from edgewright.benchmarks import photographs as pictures
    from edgewright.tools.split.adapters import efficientnet

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
        metric=AGREEMENT,
        finest=True,
    )


def elpv(work: Path, report: Report) -> Workload:
    """EfficientNet-Lite0 tuned to solar cells, with their labels; it is tuned first.

    Raises:
        NotFoundError: The data are not installed (``data_missing``).
    """
    from edgewright.benchmarks import elpv as base

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
    from edgewright.benchmarks.easy_vqa import answered, known_and_kept_back, load
    from edgewright.benchmarks.easy_vqa_blip import MODELS
    from edgewright.benchmarks.split_metrics import caption_quality
    from edgewright.tools.split.adapters.blip import BlipCaptioning
    from edgewright.tools.split.adapters.source import ModelSource

    known, kept_back = known_and_kept_back(load("train"))
    tested_on = load("test")
    adapter = MODELS[name][1](ModelSource(str(files("edgewright.benchmarks") / "data" / name)))
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
        validation=answered(adapter, kept_back, part="validation"),
        test=answered(adapter, tested_on, part="test"),
        metric=metric,
    )


WORKLOADS: dict[str, Callable[[Path, Report], Workload]] = {
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


def first(pictures: Pictures, count: int) -> Pictures:
    """Return the first of some pictures."""
    count = min(count, pictures.count)
    return Pictures(
        name=f"{pictures.name}, first {count}",
        licence=pictures.licence,
        count=count,
        read=lambda: islice(pictures.read(), count),
        answers=pictures.answers,
    )
