"""Pictures to train a codec on: a labelled set, or crops of photographs without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.codec_training.answers import Answers, FirstLabel
from edgewright.tools.codec_training.calibration import crops
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError
from edgewright.tools.images.decode import decode

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
#: Wallpapers have tens of megapixels; a crop is scaled down to the network's input anyway.
_LONGEST_SIDE = 1600
_MOST_PIXELS = 100_000_000

#: Turns a picture into another of the same size.
Turn = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Pictures that are read one by one, in a fixed order.

    Attributes:
        name: What they are called; with ``count`` it tells caches of features apart.
        licence: Their licence.
        count: How many there are.
        read: Starts over with the first of them; RGB.
        answers: How to read what a model says of them, and what is right.
    """

    name: str
    licence: str
    count: int
    read: Callable[[], Iterator[Image.Image]]
    answers: Answers = field(default_factory=FirstLabel)


def labelled(
    samples: Samples,
    chosen: NDArray[np.int64],
    *,
    part: str,
    licence: str,
    turns: Sequence[Turn] = (),
) -> ImageSet:
    """Take some pictures of a labelled set.

    Args:
        samples: The set.
        chosen: Indices of those to take.
        part: Name of the part, such as ``training``.
        licence: Licence of the set.
        turns: Take each again, turned by each of these; none changes its label.
    """

    def read() -> Iterator[Image.Image]:
        for index in chosen:
            yield Image.fromarray(samples.images[index].squeeze()).convert("RGB")

    labels = torch.from_numpy(samples.labels[chosen])
    return ImageSet(
        name=f"{samples.name}, {part}",
        licence=licence,
        count=len(chosen) * (1 + len(turns)),
        read=lambda: with_turns(read, turns),
        answers=FirstLabel(labels.repeat(1 + len(turns))),
    )


def with_turns(
    read: Callable[[], Iterator[Image.Image]], turns: Sequence[Turn]
) -> Iterator[Image.Image]:
    """Yield pictures as they are, and then all of them again for each turn."""
    for turn in (None, *turns):
        for picture in read():
            yield turn(picture) if turn else picture


def photograph_crops(
    files: Sequence[Path], *, name: str, licence: str, each: int, seed: int = 0
) -> ImageSet:
    """Cut random squares out of photographs, half of them mirrored.

    Args:
        files: The photographs.
        name: What they are called.
        licence: Their licence.
        each: Crops of each.
        seed: Of the crops; each photograph has its own.

    Raises:
        InputError: There are no photographs (``data_empty``).
    """
    if not files:
        raise InputError(
            f"there are no photographs of {name}; give files that end in "
            f"{', '.join(sorted(_SUFFIXES))}",
            code="data_empty",
        )

    def read() -> Iterator[Image.Image]:
        for number, file in enumerate(files):
            photograph = decode(file.read_bytes(), max_pixels=_MOST_PIXELS)
            photograph.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
            yield from crops([photograph], each=each, seed=seed + number)

    return ImageSet(name=name, licence=licence, count=each * len(files), read=read)


def photographs_in(folder: Path) -> list[Path]:
    """Return the picture files below a folder, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
