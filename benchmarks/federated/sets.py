"""Ten small data sets: easy, skewed, noisy, tiny, and of many classes."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgewright.benchmarks.workloads.drawings import (
    GARMENTS,
    SHAPES,
    Found,
    Pixels,
    garments,
    letters,
    shapes,
)
from edgewright.benchmarks.workloads.packaged import SURFACES, surfaces
from edgewright.tools.datasets.partition import Partition
from edgewright.tools.datasets.samples import to_array
from edgewright.tools.federated.trials.prepare import DataRequest

#: Side of drawn images in pixels; larger ones only take longer.
SIDE = 16
_SEED = 21


@dataclass(frozen=True)
class Drawn:
    """Images that are drawn, and their classes.

    Attributes:
        images: Returns so many images and their labels.
        classes: Names of the classes.
        channels: 1 for grey, 3 for colour.
    """

    images: Callable[[int, np.random.Generator], Found]
    classes: tuple[str, ...]
    channels: int = 1


@dataclass(frozen=True)
class NamedSet:
    """A data set.

    Attributes:
        name: Its name.
        kind: What makes it easy or hard.
        words: A person's request.
        source: Scikit-learn's digits, or images that are drawn.
        samples: Number of samples.
        clients: Number of clients.
        partition: How samples are partitioned among clients.
        label_noise: Share of wrong training labels.
    """

    name: str
    kind: str
    words: str
    source: str | Drawn
    samples: int
    clients: int = 5
    partition: Partition = "iid"
    label_noise: float = 0.0


_LETTERS = tuple(string.ascii_uppercase)
_GARMENTS = Drawn(garments, GARMENTS)
_ALPHABET = Drawn(lambda count, rng: letters(list(_LETTERS), count, rng), _LETTERS)
_VOWELS = Drawn(lambda count, rng: letters(list("AEIOU"), count, rng), tuple("AEIOU"))
_SHAPES = Drawn(shapes, SHAPES, channels=3)
_SURFACES = Drawn(surfaces, tuple(Path(name).stem for name in SURFACES))

SETS = (
    NamedSet("digits", "easy", "Five clinics read handwritten digits.", "digits", 1000),
    NamedSet("vowels", "easy", "Five schools read printed vowels.", _VOWELS, 400),
    NamedSet("shapes", "easy", "Five shops sort coloured shapes.", _SHAPES, 400),
    NamedSet(
        "uneven digits", "skewed",
        "Eight offices read handwritten digits; each sees only some of them.",
        "digits", 500, 8, "dirichlet",
    ),
    NamedSet(
        "uneven garments", "skewed", "Five shops sort clothes; each sells other kinds.",
        _GARMENTS, 400, 5, "dirichlet",
    ),
    NamedSet(
        "mistyped digits", "noisy",
        "Five archives read handwritten digits, and about a third of the labels is wrong.",
        "digits", 500, label_noise=0.3,
    ),
    NamedSet(
        "mislabelled garments", "noisy",
        "Five shops sort clothes, and the categories on record are often wrong.",
        _GARMENTS, 400, label_noise=0.3,
    ),
    NamedSet("few digits", "tiny", "Three clinics read handwritten digits.", "digits", 150, 3),
    NamedSet("few surfaces", "tiny", "Three builders sort surfaces.", _SURFACES, 120, 3),
    NamedSet("alphabet", "many classes", "Five offices read printed letters.", _ALPHABET, 520),
)  # fmt: skip


def data_request(named: NamedSet, folder: Path) -> DataRequest:
    """Return the request for a data set, whose images are drawn if need be.

    Args:
        named: The data set.
        folder: Folder for drawn images.
    """
    source = named.source if isinstance(named.source, str) else str(_written(named, folder))
    return DataRequest(
        source=source,
        clients=named.clients,
        partition=named.partition,
        samples=named.samples,
        label_noise=named.label_noise,
        validation=0.2,
    )


def _written(named: NamedSet, folder: Path) -> Path:
    """Draw a data set and return its file; one that exists is not drawn again."""
    drawn = named.source
    assert isinstance(drawn, Drawn)
    path = folder / f"{named.name.replace(' ', '-')}.npz"
    if not path.exists():
        images, labels = drawn.images(named.samples, np.random.default_rng(_SEED))
        pixels = np.stack([_pixels(image, drawn.channels) for image in images])
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, images=pixels, labels=labels, classes=np.array(drawn.classes))
    return path


def _pixels(image: Image.Image, channels: int) -> Pixels:
    return to_array(image.convert("RGB"), height=SIDE, width=SIDE, channels=channels)
