"""The images of five cards, and unrelated ones, by source.

A card's images come from one source and are split into those that it learns from and those that it
has not seen. Of the unrelated sources, some were used to choose the method and others only here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgewright.benchmarks.familiarity.drawings import garments, letters, pictograms
from edgewright.tools.datasets.samples import to_array
from edgewright.tools.datasets.sources import load_source

Labels = NDArray[np.int64]
Found = tuple[list[Image.Image], Labels]

#: Photographs of scikit-image: things, people, places and instruments' images.
_THINGS = (
    "astronaut.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
    "coins.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png",
    "retina.jpg", "rocket.jpg",
)  # fmt: skip
SURFACES = ("brick.png", "grass.png", "gravel.png")
SHAPES = ("circle", "square", "triangle", "star")


@dataclass(frozen=True)
class CardImages:
    """The images of a card.

    Attributes:
        name: What they show.
        height: Height of the model's input in pixels.
        channels: 1 for grey, 3 for colour.
        images: Returns so many of its images and their labels.
        sibling: The source of bright things on black that shares no class with it.
    """

    name: str
    height: int
    channels: int
    images: Callable[[int, np.random.Generator], Found]
    sibling: str

    def array(self, images: list[Image.Image]) -> NDArray[np.uint8]:
        """Return images as the model's input, uint8 ``[N, H, W, C]``."""
        side, channels = self.height, self.channels
        return np.stack([
            to_array(image.convert("RGB"), height=side, width=side, channels=channels)
            for image in images
        ])  # fmt: skip


def cards() -> tuple[CardImages, ...]:
    """Return the five cards."""
    return (
        CardImages("digits", 8, 1, digits, "garments"),
        CardImages("letters", 28, 1, lambda n, rng: letters(list("ABCDEFGHIJ"), n, rng), "digits"),
        CardImages("garments", 28, 1, garments, "digits"),
        CardImages("surfaces", 64, 1, surfaces, "digits"),
        CardImages("coloured shapes", 32, 3, shapes, "digits"),
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


def photographs(
    package: str, names: tuple[str, ...] | None, count: int, rng: np.random.Generator
) -> list[Image.Image]:
    """Return square parts of a package's photographs, of half the side to the whole.

    Args:
        package: The package and the folder in it.
        names: Files; None for all JPEG files.
        count: Number of parts.
        rng: Chooses photographs and parts.
    """
    root, _, folder = package.partition(".")
    place = Path(str(files(root))) / folder.replace(".", "/")
    paths = [place / name for name in names] if names else sorted(place.glob("*.jpg"))
    opened = [Image.open(path).convert("RGB") for path in paths]
    return [_part(opened[rng.integers(len(opened))], rng, 0.5, 1.0) for _ in range(count)]


def _part(image: Image.Image, rng: np.random.Generator, least: float, most: float) -> Image.Image:
    side = int(min(image.size) * rng.uniform(least, most))
    left, top = (int(rng.integers(0, length - side + 1)) for length in image.size)
    return image.crop((left, top, left + side, top + side))


def digits(count: int, rng: np.random.Generator) -> Found:
    """Return handwritten digits of scikit-learn."""
    found = load_source("digits")
    chosen = rng.choice(len(found.images), count, replace=False)
    return [Image.fromarray(found.images[i, ..., 0]) for i in chosen], found.labels[chosen]


def surfaces(count: int, rng: np.random.Generator) -> Found:
    """Return parts of photographs of brick, grass and gravel."""
    labels = rng.integers(0, len(SURFACES), count)
    folder = Path(str(files("skimage"))) / "data"
    opened = [Image.open(folder / name).convert("L") for name in SURFACES]
    images = [_part(opened[label], rng, 0.12, 0.25) for label in labels]
    return images, labels


def shapes(count: int, rng: np.random.Generator, side: int = 32) -> Found:
    """Draw coloured shapes on pale ground."""
    labels = rng.integers(0, len(SHAPES), count)
    images = []
    for label in labels:
        ground = tuple(int(each) for each in rng.integers(200, 256, 3))
        colour = tuple(int(each) for each in rng.integers(0, 200, 3))
        image = Image.new("RGB", (side * 4, side * 4), ground)
        draw, radius = ImageDraw.Draw(image), side * rng.uniform(0.9, 1.7)
        centre = side * 2 + rng.uniform(-0.25, 0.25, 2) * side
        corners = {"circle": 40, "square": 4, "triangle": 3, "star": 10}[SHAPES[label]]
        angles = rng.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners
        radii = np.where(np.arange(corners) % 2, 0.45, 1.0) if SHAPES[label] == "star" else 1.0
        points = centre + radius * np.stack(
            [radii * np.cos(angles), radii * np.sin(angles)], axis=1
        )
        draw.polygon([tuple(point) for point in points.tolist()], fill=colour)
        images.append(image.resize((side, side), Image.Resampling.BOX))
    return images, labels
