"""Receivers tuned on what a lossy coding leaves, as a codec's tail is on its latents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

from edgewright.benchmarks.split.images import QUALITIES, send
from edgewright.benchmarks.split.workloads import Workload
from edgewright.tools.codec_training.cache import cached_features, rows
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import ReportProgress, Schedule, fast_products, fit
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codec_training.train import answer_loss
from edgewright.tools.codecs.learned.tail import TunedBlocks, weights_of_blocks


def tuned_receiver(
    workload: Workload, encoding: str, *, features: Path, work: Path, report: ReportProgress
) -> TunedBlocks:
    """Tune all of the model behind the head to a coding, go on with it, or take what was kept.

    There is one receiver for all qualities, as a codec has one tail for all its rate points. It
    learns the same answers on the same pictures by as many steps as that tail.

    Args:
        workload: Model, recipe and pictures; its codec is trained.
        encoding: ``jpeg``, ``webp`` or ``avif``.
        features: Folder for features; those of the codec's training are taken from there.
        work: Folder for the checkpoint; it belongs to this recipe alone.
        report: Told after every step.
    """
    adapter, recipe = workload.adapter, workload.recipe
    assert isinstance(recipe, TrainedRecipe)
    last = len(adapter.block_names)
    teacher = cached_features(
        adapter,
        workload.training,
        (recipe.point, recipe.decoder_point),
        features / "training",
        report,
    )
    seen = cached_features(
        adapter,
        _coded(workload, encoding),
        (recipe.point, last),
        features / f"training-{encoding}",
        report,
    )
    weights = weights_of_blocks(adapter, recipe.point, last)
    receiver = TunedBlocks(adapter, recipe.point, last, weights).requires_grad_(True)

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        with fast_products(seen.features.shape[1:]):
            output = receiver(rows(seen.features, indices))
        return answer_loss(output, teacher, indices)

    work.mkdir(parents=True, exist_ok=True)
    fit(
        f"receiver of {encoding}",
        receiver,
        loss_of,
        samples=len(seen),
        schedule=_schedule(recipe),
        seed=recipe.seed,
        checkpoint=work / f"receiver-{encoding}.pt",
        report=report,
    )
    return receiver.requires_grad_(False)


def _schedule(recipe: TrainedRecipe) -> Schedule:
    joint = recipe.joint.epochs if recipe.joint else 0
    second = recipe.second
    return Schedule(
        epochs=joint + second.epochs, batch=second.batch, rate=second.rate, decay=second.decay
    )


def _coded(workload: Workload, encoding: str) -> ImageSet:
    """Return the training pictures as they arrive, in all qualities by turns."""
    training, qualities = workload.training, QUALITIES[encoding]

    def read() -> Iterator[Image.Image]:
        for number, picture in enumerate(training.read()):
            quality = qualities[number % len(qualities)]
            yield send(workload.adapter.preprocess(picture), encoding, quality).picture

    return ImageSet(
        name=f"{training.name}, {encoding}",
        licence=training.licence,
        count=training.count,
        read=read,
        answers=training.answers,
    )
