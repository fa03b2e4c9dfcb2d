"""Image sets for training codecs: a labelled data set, or crops of unlabelled photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.codec_training.answers import Answers, TopLabel
from edgewright.tools.codec_training.calibration import crops
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError
from edgewright.tools.images.decode import decode

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
#: Wallpapers have tens of megapixels, but crops are scaled to the network's input anyway.
_MAX_SIDE = 1600
_MAX_PIXELS = 100_000_000

#: Transforms an image to another one of the same size.
Augmentation = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """A set of RGB images that are read one at a time in a fixed order.

    Attributes:
        name: Name of the set; together with ``count`` it identifies feature caches.
        licence: Licence of the images.
        count: Number of images.
        read: Returns an iterator over the images, from the first one.
        answers: How a model's answers are computed, and the correct ones.
    """

    name: str
    licence: str
    count: int
    read: Callable[[], Iterator[Image.Image]]
    answers: Answers = field(default_factory=TopLabel)


def labelled(
    samples: Samples,
    chosen: NDArray[np.int64],
    *,
    part: str,
    licence: str,
    augmentations: Sequence[Augmentation] = (),
) -> ImageSet:
    """Return a subset of a labelled data set.

    Args:
        samples: The data set.
        chosen: Indices of the samples.
        part: Name of the subset, such as ``training``.
        licence: Licence of the data set.
        augmentations: Label-preserving augmentations; the subset is repeated once for each.
    """

    def read() -> Iterator[Image.Image]:
        for index in chosen:
            yield Image.fromarray(samples.images[index].squeeze()).convert("RGB")

    labels = torch.from_numpy(samples.labels[chosen])
    return ImageSet(
        name=f"{samples.name}, {part}",
        licence=licence,
        count=len(chosen) * (1 + len(augmentations)),
        read=lambda: with_augmentations(read, augmentations),
        answers=TopLabel(labels.repeat(1 + len(augmentations))),
    )


def with_augmentations(
    read: Callable[[], Iterator[Image.Image]], augmentations: Sequence[Augmentation]
) -> Iterator[Image.Image]:
    """Yield all images unchanged, and then all of them again for each augmentation."""
    for augment in (None, *augmentations):
        for image in read():
            yield augment(image) if augment else image


def photograph_crops(
    files: Sequence[Path], *, name: str, licence: str, each: int, seed: int = 0
) -> ImageSet:
    """Return random square crops of photographs, half of them mirrored.

    Args:
        files: The photographs.
        name: Name of the set.
        licence: Licence of the photographs.
        each: Number of crops per photograph.
        seed: Random seed; each photograph derives its own from it.

    Raises:
        InputError: There are no photographs (``data_empty``).
    """
    if not files:
        raise InputError(
            f"there are no photographs for {name!r}; pass files with the extensions "
            f"{', '.join(sorted(_SUFFIXES))}",
            code="data_empty",
        )

    def read() -> Iterator[Image.Image]:
        for number, file in enumerate(files):
            photograph = decode(file.read_bytes(), max_pixels=_MAX_PIXELS)
            photograph.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS)
            yield from crops([photograph], each=each, seed=seed + number)

    return ImageSet(name=name, licence=licence, count=each * len(files), read=read)


def photographs_in(folder: Path) -> list[Path]:
    """Return the image files in a folder and its subfolders, sorted by path.

    Raises:
        InputError: There are none (``data_empty``).
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(
            f"no photographs in {str(folder)!r}; pass a folder of "
            f"{', '.join(sorted(_SUFFIXES))} files",
            code="data_empty",
        )
    return files
