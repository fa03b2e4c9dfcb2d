"""Parts of the photographs that come with packages."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from edgewright.benchmarks.workloads.drawings import Found

SURFACES = ("brick.png", "grass.png", "gravel.png")


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


def surfaces(count: int, rng: np.random.Generator) -> Found:
    """Return parts of photographs of brick, grass and gravel."""
    labels = rng.integers(0, len(SURFACES), count)
    folder = Path(str(files("skimage"))) / "data"
    opened = [Image.open(folder / name).convert("L") for name in SURFACES]
    images = [_part(opened[label], rng, 0.12, 0.25) for label in labels]
    return images, labels
