"""Features before the cut and answers behind it, computed once: head and teacher never change."""

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

#: Pictures run at once; more of them outgrow the processor's caches and take twice the time.
_BATCH = 8


@dataclass(frozen=True)
class FeatureCache:
    """What the uncut model makes of pictures at three places.

    Attributes:
        features: float16 ``[N, *shape]`` at the partition point, on disk.
        targets: float16 ``[N, *decoded_shape]`` where the decoder's output stands, on disk.
        outputs: float32 ``[R, classes]``, the model's answers.
        answers: How they were read, and what is right.
    """

    features: NDArray[np.float16]
    targets: NDArray[np.float16]
    outputs: torch.Tensor
    answers: Answers

    def __len__(self) -> int:
        return len(self.features)

    @property
    def pictures(self) -> torch.Tensor:
        """Indices of all pictures, int64 ``[N]``."""
        return torch.arange(len(self))

    @property
    def truth(self) -> torch.Tensor | None:
        """The right class of each answer, int64 ``[R]``; None if nobody knows."""
        truth = self.answers.truth
        return None if truth is None else truth[self.answers.rows(self.pictures)]


def cached_features(
    adapter: Chain,
    pictures: ImageSet,
    points: tuple[int, int],
    folder: Path,
    report: ReportProgress,
) -> FeatureCache:
    """Run the uncut model over pictures, or take what an earlier call wrote.

    Args:
        adapter: The model.
        pictures: The pictures.
        points: Partition point, and the point at which the decoder's output stands.
        folder: Where the arrays are kept; made if need be.
        report: Told after every batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity = json.dumps([adapter.revision, pictures.name, pictures.count, *points])
    mark = folder / "complete.json"
    if not (mark.exists() and mark.read_text("utf-8") == identity):
        mark.unlink(missing_ok=True)
        _compute(adapter, pictures, points, folder, report)
        mark.write_text(identity, "utf-8")
    features, targets, outputs = (
        np.load(folder / f"{name}.npy", mmap_mode="r")
        for name in ("features", "targets", "outputs")
    )
    return FeatureCache(features, targets, torch.from_numpy(np.array(outputs)), pictures.answers)


def rows(array: NDArray[np.float16], indices: torch.Tensor) -> torch.Tensor:
    """Read some features of a cache, float32 in the layout that is trained fastest.

    Args:
        array: ``features`` or ``targets``.
        indices: Which, int64 ``[B]``.
    """
    batch = torch.from_numpy(array[indices.numpy()].astype(np.float32))
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


def _compute(
    adapter: Chain,
    pictures: ImageSet,
    points: tuple[int, int],
    folder: Path,
    report: ReportProgress,
) -> None:
    last = len(adapter.block_names)
    places = {"features": points[0], "targets": points[1]}
    open_array: Any = np.lib.format.open_memmap  # numpy leaves it untyped
    arrays = {
        name: open_array(
            folder / f"{name}.npy",
            mode="w+",
            dtype=np.float16,
            shape=(pictures.count, *adapter.feature_shape(place)),
        )
        for name, place in places.items()
    }
    outputs: list[torch.Tensor] = []
    done = 0
    with torch.inference_mode():
        for batch in _batches(pictures.read()):
            values = torch.cat([adapter.tensor(adapter.preprocess(image)) for image in batch])
            reached = 0
            for name, place in places.items():
                values = adapter.run(values, reached, place)
                arrays[name][done : done + len(batch)] = values.numpy()
                reached = place
            values = adapter.run(values, reached, last)
            at = torch.arange(done, done + len(batch))
            outputs.append(pictures.answers.scores(values, at))
            done += len(batch)
            report(EpochProgress(f"features of {pictures.name}", done, pictures.count, 0.0))
    for array in arrays.values():
        array.flush()
    np.save(folder / "outputs.npy", torch.cat(outputs).numpy())


def _batches(images: Iterator[Image.Image]) -> Iterator[list[Image.Image]]:
    while batch := list(islice(images, _BATCH)):
        yield batch
