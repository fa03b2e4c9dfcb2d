"""Cache of features and answers, computed once since the head and the teacher never change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.codec_training.answers import Answers
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.loop import EpochProgress, ReportProgress
from edgewright.tools.models.engines.torch.chain import Chain

#: Batch size; larger batches exceed the processor's caches and take twice as long.
_BATCH = 8


@dataclass(frozen=True)
class FeatureCache:
    """The uncut model's features and answers for a set of images.

    Attributes:
        features: float16 ``[N, *shape]`` indices the partition point, on disk.
        targets: float16 ``[N, *decoded_shape]`` indices the decoder's output point, on disk.
        outputs: float32 ``[R, classes]``, logits of the model's answers.
        answers: How answers are computed, and the correct ones.
    """

    features: NDArray[np.float16]
    targets: NDArray[np.float16]
    outputs: torch.Tensor
    answers: Answers

    def __len__(self) -> int:
        return len(self.features)

    @property
    def image_indices(self) -> torch.Tensor:
        """Indices of all images, int64 ``[N]``."""
        return torch.arange(len(self))

    @property
    def truth(self) -> torch.Tensor | None:
        """Correct class of each answer, int64 ``[R]``; None if unknown."""
        truth = self.answers.truth
        return None if truth is None else truth[self.answers.rows(self.image_indices)]


def cached_features(
    adapter: Chain,
    image_set: ImageSet,
    points: tuple[int, int],
    folder: Path,
    report: ReportProgress,
) -> FeatureCache:
    """Run the uncut model on a set of images, or load the results of an earlier call.

    Args:
        adapter: The model.
        image_set: The images.
        points: Partition point, and the decoder's output point.
        folder: Folder for the arrays; created if missing.
        report: Called after each batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity = json.dumps([adapter.revision, image_set.name, image_set.count, *points])
    marker = folder / "complete.json"
    if not (marker.exists() and marker.read_text("utf-8") == identity):
        marker.unlink(missing_ok=True)
        _compute(adapter, image_set, points, folder, report)
        marker.write_text(identity, "utf-8")
    features, targets, outputs = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("features", "targets", "outputs")
    )
    return FeatureCache(features, targets, torch.from_numpy(np.array(outputs)), image_set.answers)


def read_batch(array: NDArray[np.float16], indices: torch.Tensor) -> torch.Tensor:
    """Read a batch from a cached array, as float32 in the memory layout that trains fastest.

    Args:
        array: ``features`` or ``targets`` of a cache.
        indices: Indices of the batch, int64 ``[B]``.
    """
    batch = torch.from_numpy(array[indices.numpy()].astype(np.float32))
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


def _compute(
    adapter: Chain,
    image_set: ImageSet,
    points: tuple[int, int],
    folder: Path,
    report: ReportProgress,
) -> None:
    last = len(adapter.block_names)
    points_by_name = {"features": points[0], "targets": points[1]}
    open_array: Any = np.lib.format.open_memmap  # untyped in numpy
    arrays = {
        name: open_array(
            folder / f"{name}.npy",
            mode="w+",
            dtype=np.float16,
            shape=(image_set.count, *adapter.feature_shape(point)),
        )
        for name, point in points_by_name.items()
    }
    outputs: list[torch.Tensor] = []
    done = 0
    with torch.inference_mode():
        for batch in _batches(image_set.read()):
            values = torch.cat([adapter.tensor(adapter.preprocess(image)) for image in batch])
            position = 0
            for name, point in points_by_name.items():
                values = adapter.forward(values, position, point)
                arrays[name][done : done + len(batch)] = values.numpy()
                position = point
            values = adapter.forward(values, position, last)
            indices = torch.arange(done, done + len(batch))
            outputs.append(image_set.answers.scores(values, indices))
            done += len(batch)
            report(EpochProgress(f"features of {image_set.name}", done, image_set.count, 0.0))
    for array in arrays.values():
        array.flush()
    np.save(folder / "outputs.npy", torch.cat(outputs).numpy())


def _batches(images: Iterator[Image.Image]) -> Iterator[list[Image.Image]]:
    while batch := list(islice(images, _BATCH)):
        yield batch
