"""Natural photographs from Debian's packages, without labels, to fit and to test a codec on.

Few free photographs are packaged, and most show landscapes, with little that a classifier knows. So
cut-out photographs of animals, fruit and tools, from a painting program for children, are pasted
onto them. Test photographs are unaltered and by other authors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from edgewright.tools.codec_training.images import ImageSet, photograph_crops
from edgewright.tools.codec_training.project import held_out, split_photographs
from edgewright.tools.errors import NotFoundError

_SHARE = Path("/usr/share")
#: Packages with photographs to fit a codec to, and their folders.
_PHOTOGRAPHS = {
    "plasma-workspace-wallpapers": _SHARE / "wallpapers",
    "mate-backgrounds": _SHARE / "backgrounds" / "mate" / "nature",
    "endless-sky-data": _SHARE / "games" / "endless-sky" / "images" / "land",
    "scratch": _SHARE / "scratch" / "Media" / "Backgrounds",
}
_STAMPS = {"tuxpaint-stamps-default": _SHARE / "tuxpaint" / "stamps"}
#: Folders of stamps that are mostly photographs.
_THINGS = ("animals", "clothes", "food", "hobbies", "household", "plants", "vehicles")
#: Packages with photographs for testing only; file names contain the authors' names.
_TEST_PACKAGES = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")
#: Images among them that are computer graphics.
_NOT_PHOTOGRAPHS = ("Fossa", "Infinite-Sea", "Painting-Colors", "umang")
_LICENCE = "CC-BY-SA-4.0, CC-BY-SA-3.0, GPL-2+, public domain"
_CROPS, _TEST_CROPS = 6, 24
#: Scenes per thing, range of its size relative to the scene's side, and minimum side of a stamp.
_SCENES = 4
_SIZES = (0.4, 1.1)
_MIN_SIDE = 120
_SIDE = 256
#: One thing in this many is held out for validation.
_HELD_OUT = 10


def load() -> tuple[ImageSet, ImageSet, ImageSet]:
    """Return images to train on, to validate on and to test on; no photograph is in two sets.

    Raises:
        NotFoundError: The packages are not installed (``data_missing``).
    """
    test_photographs = _test_photographs()
    motifs, things = _sources()
    training, validation = split_photographs(
        motifs, name="photographs", licence=_LICENCE, each=_CROPS
    )
    validation_things = things[::_HELD_OUT]
    training_things = [thing for thing in things if thing not in validation_things]
    return (
        _with_things(training, training_things, part="training"),
        _with_things(validation, validation_things, part="validation"),
        photograph_crops(
            test_photographs,
            name="community wallpapers",
            licence="CC-BY-SA, CC-BY",
            each=_TEST_CROPS,
        ),
    )


def load_for_calibration() -> tuple[ImageSet, ImageSet]:
    """Return images to calibrate a quantised model on, and images to compare calibrations on.

    Both are of the training part, and no photograph or thing is in both.

    Raises:
        NotFoundError: The packages are not installed (``data_missing``).
    """
    _test_photographs()
    motifs, things = _sources()
    motifs, _ = held_out(motifs)
    things = [thing for thing in things if thing not in things[::_HELD_OUT]]
    names = ("calibration", "comparison")
    sets = [
        photograph_crops(motifs[half::2], name=name, licence=_LICENCE, each=_CROPS)
        for half, name in enumerate(names)
    ]
    calibration, comparison = (
        _with_things(one, things[half::2], part=name)
        for half, (one, name) in enumerate(zip(sets, names, strict=True))
    )
    return calibration, comparison


def _sources() -> tuple[list[Path], list[Path]]:
    """Return the photographs to train and validate on, and the stamps."""
    motifs = [path for folder in _PHOTOGRAPHS.values() for path in _motifs(folder)]
    return motifs, _things(_STAMPS["tuxpaint-stamps-default"])


def _test_photographs() -> list[Path]:
    images = sorted((_SHARE / "backgrounds").glob("*_by_*.jpg"))
    found = [path for path in images if not path.name.startswith(_NOT_PHOTOGRAPHS)]
    folders: Mapping[str, Path] = {**_PHOTOGRAPHS, **_STAMPS}
    if not found or not all(folder.is_dir() for folder in folders.values()):
        raise NotFoundError(
            "photographs are missing; install them with apt-get install "
            + " ".join([*folders, *_TEST_PACKAGES]),
            code="data_missing",
        )
    return found


def _motifs(folder: Path) -> list[Path]:
    """Return the largest file of each photograph; wallpapers come in several sizes."""
    largest: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*.jp*g"), key=lambda path: path.stat().st_size):
        if path.stem != "screenshot":
            in_sizes = path.parent.name.startswith("images")
            largest[path.parent.parent if in_sizes else path] = path
    return sorted(largest.values())


def _things(folder: Path) -> list[Path]:
    """Return the stamps of things that are large enough."""
    stamps = []
    for path in sorted(path for name in _THINGS for path in (folder / name).rglob("*.png")):
        with Image.open(path) as stamp:
            if min(stamp.size) >= _MIN_SIDE:
                stamps.append(path)
    return stamps


def _with_things(backgrounds: ImageSet, things: Sequence[Path], *, part: str) -> ImageSet:
    """Return the unaltered images, followed by scenes: the same images, each with a thing."""

    def read() -> Iterator[Image.Image]:
        yield from backgrounds.read()
        random = np.random.default_rng(0)
        repeated = [thing for _ in range(_SCENES) for thing in things]
        scenes = _endless(backgrounds)
        for thing, scene in zip(repeated, scenes, strict=False):
            yield _composed(scene, thing, random)

    return ImageSet(
        name=f"photographs with things, {part}",
        licence=backgrounds.licence,
        count=backgrounds.count + _SCENES * len(things),
        read=read,
    )


def _endless(images: ImageSet) -> Iterator[Image.Image]:
    """Yield the images over and over."""
    while True:
        yield from images.read()


def _composed(scene: Image.Image, thing: Path, random: np.random.Generator) -> Image.Image:
    """Return a scene with a thing of random size at a random place, mirrored half of the time."""
    composed = scene.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    with Image.open(thing) as cut_out:
        stamp = cut_out.convert("RGBA")
    size = _SIDE * random.uniform(*_SIZES)
    scale = size / max(stamp.size)
    stamp = stamp.resize((max(1, int(stamp.width * scale)), max(1, int(stamp.height * scale))))
    if random.random() < 0.5:
        stamp = stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left, top = (int(random.uniform(*sorted((0, _SIDE - side)))) for side in stamp.size)
    composed.paste(stamp, (left, top), stamp)
    return composed
