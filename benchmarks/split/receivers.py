"""Receivers tuned to the images of a lossy encoding, as a codec's tail is to its latents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

from edgewright.benchmarks.split.images import QUALITIES, send
from edgewright.benchmarks.split.workloads import Workload
from edgewright.tools.codec_training.cache import cached_features, read_batch
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import ReportProgress, Schedule, bfloat16_products, fit
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codec_training.train import answer_loss
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks, weights_of_blocks


def tuned_receiver(
    workload: Workload, encoding: str, *, features: Path, work: Path, report: ReportProgress
) -> TunedBlocks:
    """Tune the model behind the head to a lossy encoding; resume or reuse an earlier training.

    There is one receiver for all qualities, as a codec has one tail for all its rate points. It
    learns the same answers on the same images, in as many steps as that tail.

    Args:
        workload: Model, recipe and images; its recipe trains a codec.
        encoding: ``jpeg``, ``webp`` or ``avif``.
        features: Folder of cached features, shared with the training of the codec.
        work: Folder of the checkpoint, for this recipe only.
        report: Called after every step.
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
    decoded = cached_features(
        adapter,
        _decoded_images(workload, encoding),
        (recipe.point, last),
        features / f"training-{encoding}",
        report,
    )
    weights = weights_of_blocks(adapter, recipe.point, last)
    receiver = TunedBlocks(adapter, recipe.point, last, weights).requires_grad_(True)

    def loss_of(indices: torch.Tensor) -> torch.Tensor:
        with bfloat16_products(decoded.features.shape[1:]):
            output = receiver(read_batch(decoded.features, indices))
        return answer_loss(output, teacher, indices)

    work.mkdir(parents=True, exist_ok=True)
    fit(
        f"receiver of {encoding}",
        receiver,
        loss_of,
        samples=len(decoded),
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


def _decoded_images(workload: Workload, encoding: str) -> ImageSet:
    """Return the training images after encoding and decoding, with the qualities in turns."""
    training, qualities = workload.training, QUALITIES[encoding]

    def read() -> Iterator[Image.Image]:
        for number, image in enumerate(training.read()):
            quality = qualities[number % len(qualities)]
            yield send(workload.adapter.preprocess(image), encoding, quality).image

    return ImageSet(
        name=f"{training.name}, {encoding}",
        licence=training.licence,
        count=training.count,
        read=read,
        answers=training.answers,
    )
