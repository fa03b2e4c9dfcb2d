"""The images of six cards, and unrelated ones, by source.

A card's images come from one source and are split into those that it learns from and those that it
has not seen. Of the unrelated sources, some were used to choose the method and others only here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.benchmarks.workloads.drawings import Found, garments, letters, pictograms, shapes
from edgewright.benchmarks.workloads.packaged import photographs, surfaces
from edgewright.tools.datasets.samples import to_array
from edgewright.tools.datasets.sources import load_source

#: Photographs of scikit-image: things, people, places and instruments' images.
_THINGS = (
    "astronaut.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
    "coins.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png",
    "retina.jpg", "rocket.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class CardImages:
    """The images of a card.

    Attributes:
        name: What they show.
        height: Height of the model's input in pixels.
        channels: 1 for grey, 3 for colour.
        images: Returns so many of its images and their labels.
        sibling: The source of bright things on black that shares no class with it.
        learned: Number of images that it learns from.
    """

    name: str
    height: int
    channels: int
    images: Callable[[int, np.random.Generator], Found]
    sibling: str
    learned: int = 300

    def array(self, images: list[Image.Image]) -> NDArray[np.uint8]:
        """Return images as the model's input, uint8 ``[N, H, W, C]``."""
        side, channels = self.height, self.channels
        return np.stack([
            to_array(image.convert("RGB"), height=side, width=side, channels=channels)
            for image in images
        ])  # fmt: skip


def cards() -> tuple[CardImages, ...]:
    """Return the cards: five of a few images, and photographs of garments, which need more."""
    return (
        CardImages("digits", 8, 1, digits, "garments"),
        CardImages("letters", 28, 1, lambda n, rng: letters(list("ABCDEFGHIJ"), n, rng), "digits"),
        CardImages("garments", 28, 1, garments, "digits"),
        CardImages("surfaces", 64, 1, surfaces, "digits"),
        CardImages("coloured shapes", 32, 3, shapes, "digits"),
        CardImages("photographed garments", 28, 1, fashion, "digits", learned=1000),
    )


def development(rng: np.random.Generator) -> dict[str, list[Image.Image]]:
    """Return the unrelated images on which the method was chosen, by source."""
    return {
        "photographs of scikit-learn": photographs("sklearn.datasets.images", None, 100, rng),
        "Font Awesome pictograms": pictograms("fontawesome/solid", 100, rng),
        "bright Font Awesome pictograms": pictograms("fontawesome/regular", 100, rng)[::2],
        "bright letters": letters(list("KLMNOPQRSTUVWXYZ"), 100, rng)[0],
    }


def held_out(card: CardImages, rng: np.random.Generator) -> dict[str, list[Image.Image]]:
    """Return 500 unrelated images of sources that played no part before, by source."""
    siblings: Mapping[str, Callable[[int, np.random.Generator], Found]] = {
        "digits": digits,
        "garments": garments,
    }
    return {
        "photographs of scikit-image": photographs("skimage.data", _THINGS, 200, rng),
        "photographs of matplotlib": photographs(
            "matplotlib.mpl-data.sample_data",
            ("grace_hopper.jpg", "Minduka_Present_Blue_Pack.png"),
            50, rng,
        ),
        "Material pictograms": pictograms("material", 150, rng),
        f"{card.sibling}, bright on black": siblings[card.sibling](100, rng)[0],
    }  # fmt: skip


def digits(count: int, rng: np.random.Generator) -> Found:
    """Return handwritten digits of scikit-learn."""
    found = load_source("digits")
    chosen = rng.choice(len(found.images), count, replace=False)
    return [Image.fromarray(found.images[i, ..., 0]) for i in chosen], found.labels[chosen]


def fashion(count: int, rng: np.random.Generator) -> Found:
    """Return photographs of Fashion-MNIST."""
    found = load_source("fashion-mnist")
    chosen = rng.choice(len(found.images), count, replace=False)
    return [Image.fromarray(found.images[i, ..., 0]) for i in chosen], found.labels[chosen]
