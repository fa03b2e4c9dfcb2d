"""Words in images: twenty images with known text, and how many words are read."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_TEXTS = (
    "PLATFORM 4|Trains to Harwich",
    "Fresh bread|baked every morning",
    "DANGER|High voltage",
    "Room 217|Dr. Adeyemi",
    "Opening hours|Mon-Fri 9:00-17:30",
    "Exit only",
    "Bicycle repair|ring the bell",
    "NO SMOKING",
    "Best before|14 MAY 2027",
    "Serial 8K2-441|Made in Norway",
    "Caution: wet floor",
    "Library|Quiet please",
    "Emergency call|112",
    "Parcel for|Lindqvist, 3rd floor",
    "Water meter|00482.7",
    "Keep refrigerated|at 4 degrees",
    "Gate B12 boarding",
    "Harbour tours|every 20 minutes",
    "Private property",
    "Lost cat|answers to Pepper",
)
#: Height of the letters in pixels.
_HEIGHTS = (24, 64)


@dataclass(frozen=True)
class Sign:
    """An image and the words in it.

    Attributes:
        name: What it is.
        image: The image.
        words: The words.
    """

    name: str
    image: Image.Image
    words: tuple[str, ...]


def signs(backgrounds: Sequence[Image.Image]) -> Iterator[Sign]:
    """Yield twenty images with text of more than 20 pixels, turned, blurred and noisy.

    Args:
        backgrounds: Photographs to put the signs on.
    """
    for index, text in enumerate(_TEXTS):
        chance = random.Random(index)  # noqa: S311 - repeatable, not secret
        background = backgrounds[index % len(backgrounds)].resize((900, 640))
        lines = text.split("|")
        yield Sign(
            f"sign {index + 1}",
            _photographed(background, lines, chance),
            tuple(" ".join(lines).split()),
        )


def words_read(words: Sequence[str], read: Sequence[str]) -> int:
    """Return how many words were read, case and all; each word that was read counts once."""
    return (Counter(words) & Counter(read)).total()


def _photographed(
    background: Image.Image, lines: Sequence[str], chance: random.Random
) -> Image.Image:
    """Put a sign on a photograph, and take it again with a worse camera."""
    height = chance.randint(*_HEIGHTS)
    font = ImageFont.load_default(height / 0.72)  # letters are that share of a font's size
    width = round(max(font.getlength(line) for line in lines)) + 2 * height
    paper, ink = _colours(chance)
    sign = Image.new("RGBA", (width, round(height * 1.9 * len(lines)) + height), paper)
    draw = ImageDraw.Draw(sign)
    for number, line in enumerate(lines):
        draw.text((height, height * (0.6 + 1.9 * number)), line, ink, font)
    if sign.width > background.width - 40:
        sign.thumbnail((background.width - 40, background.height))
    turned = sign.rotate(chance.uniform(-9, 9), Image.Resampling.BICUBIC, expand=True)
    room = (max(0, background.width - turned.width), max(0, background.height - turned.height))
    result = background.convert("RGB")
    result.paste(turned, (chance.randint(0, room[0]), chance.randint(0, room[1])), turned)
    result = result.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1.2)))
    noise = np.random.default_rng(chance.randint(0, 10**6)).normal(0, 6, (*result.size[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(result) + noise, 0, 255).astype(np.uint8))


def _colours(chance: random.Random) -> tuple[tuple[int, int, int, int], tuple[int, int, int]]:
    light = tuple(chance.randint(170, 255) for _ in range(3))
    dark = tuple(chance.randint(0, 90) for _ in range(3))
    paper, ink = (light, dark) if chance.random() < 0.7 else (dark, light)
    return (*paper, 255), ink  # type: ignore[return-value]
