"""Natural photographs from Debian's packages, without labels: to make a codec from, and to test.

There are few that are free and at hand, and most show landscapes, of which a classifier has little
to say. So things are laid over them: the cut-out photographs of animals, fruit and tools that a
painting program for children brings along. What is tested on is untouched, and of other authors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from edgewright.tools.codec_training.images import ImageSet, photograph_crops
from edgewright.tools.codec_training.project import split_photographs
from edgewright.tools.errors import NotFoundError

_SHARE = Path("/usr/share")
#: Packages with photographs to make a codec from, and the folders that they fill.
_PHOTOGRAPHS = {
    "plasma-workspace-wallpapers": _SHARE / "wallpapers",
    "mate-backgrounds": _SHARE / "backgrounds" / "mate" / "nature",
    "endless-sky-data": _SHARE / "games" / "endless-sky" / "images" / "land",
    "scratch": _SHARE / "scratch" / "Media" / "Backgrounds",
}
_STAMPS = {"tuxpaint-stamps-default": _SHARE / "tuxpaint" / "stamps"}
#: Folders of stamps that are photographs for the most part.
_THINGS = ("animals", "clothes", "food", "hobbies", "household", "plants", "vehicles")
#: Packages whose photographs, which bear their authors' names, are tested on and nothing else.
_TESTED_ON = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")
#: Those of the pictures among them that were drawn by a program.
_DRAWN = ("Fossa", "Infinite-Sea", "Painting-Colors", "umang")
_LICENCE = "CC-BY-SA-4.0, CC-BY-SA-3.0, GPL-2+, public domain"
_CROPS, _TEST_CROPS = 6, 24
#: Scenes with each thing; how large it is of the scene's side; and how small a stamp may be.
_SCENES = 4
_SIZES = (0.4, 1.1)
_LEAST_SIDE = 120
_SIDE = 256
#: Every so many things are kept back for validation.
_HELD_OUT = 10


def load() -> tuple[ImageSet, ImageSet, ImageSet]:
    """Return pictures to train on, to validate on and to test on; no photograph is in two of them.

    Raises:
        NotFoundError: The packages are not installed (``data_missing``).
    """
    pictures = sorted((_SHARE / "backgrounds").glob("*_by_*.jpg"))
    tested_on = [path for path in pictures if not path.name.startswith(_DRAWN)]
    folders: Mapping[str, Path] = {**_PHOTOGRAPHS, **_STAMPS}
    if not tested_on or not all(folder.is_dir() for folder in folders.values()):
        raise NotFoundError(
            f"photographs are missing; apt-get install {' '.join([*folders, *_TESTED_ON])}",
            code="data_missing",
        )
    motifs = [path for folder in _PHOTOGRAPHS.values() for path in _motifs(folder)]
    training, validation = split_photographs(
        motifs, name="photographs", licence=_LICENCE, each=_CROPS
    )
    things = _things(_STAMPS["tuxpaint-stamps-default"])
    held_out = things[::_HELD_OUT]
    known = [thing for thing in things if thing not in held_out]
    return (
        _with_things(training, known, part="training"),
        _with_things(validation, held_out, part="validation"),
        photograph_crops(
            tested_on, name="community wallpapers", licence="CC-BY-SA, CC-BY", each=_TEST_CROPS
        ),
    )


def _motifs(folder: Path) -> list[Path]:
    """Return the largest file of each photograph; wallpapers come in several sizes, each whole."""
    largest: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*.jp*g"), key=lambda path: path.stat().st_size):
        if path.stem != "screenshot":
            in_sizes = path.parent.name.startswith("images")
            largest[path.parent.parent if in_sizes else path] = path
    return sorted(largest.values())


def _things(folder: Path) -> list[Path]:
    """Return the stamps that show things and are large enough."""
    found = []
    for path in sorted(path for name in _THINGS for path in (folder / name).rglob("*.png")):
        with Image.open(path) as stamp:
            if min(stamp.size) >= _LEAST_SIDE:
                found.append(path)
    return found


def _with_things(backgrounds: ImageSet, things: Sequence[Path], *, part: str) -> ImageSet:
    """Return pictures as they are, and then scenes: the same pictures with a thing on each."""

    def read() -> Iterator[Image.Image]:
        yield from backgrounds.read()
        random = np.random.default_rng(0)
        wanted = [thing for _ in range(_SCENES) for thing in things]
        behind = _again(backgrounds)
        for thing, scene in zip(wanted, behind, strict=False):
            yield _laid_over(scene, thing, random)

    return ImageSet(
        name=f"photographs with things, {part}",
        licence=backgrounds.licence,
        count=backgrounds.count + _SCENES * len(things),
        read=read,
    )


def _again(pictures: ImageSet) -> Iterator[Image.Image]:
    """Yield pictures over and over."""
    while True:
        yield from pictures.read()


def _laid_over(scene: Image.Image, thing: Path, random: np.random.Generator) -> Image.Image:
    """Return a scene with a thing on it, of some size and somewhere; half of them mirrored."""
    laid = scene.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    with Image.open(thing) as cut_out:
        stamp = cut_out.convert("RGBA")
    size = _SIDE * random.uniform(*_SIZES)
    scale = size / max(stamp.size)
    stamp = stamp.resize((max(1, int(stamp.width * scale)), max(1, int(stamp.height * scale))))
    if random.random() < 0.5:
        stamp = stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left, top = (int(random.uniform(*sorted((0, _SIDE - side)))) for side in stamp.size)
    laid.paste(stamp, (left, top), stamp)
    return laid
