"""A canvas whose lines and letters stay legible at any size of the image."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import cast

from PIL import Image, ImageDraw, ImageFont

from edgewright.tools.contracts.perceptions import Point

Colour = tuple[int, int, int]

#: Distinct on photographs, and for most kinds of colour blindness (Okabe and Ito, 2008).
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
#: Small images are enlarged to this long side, large ones reduced to the second one.
_SMALLEST, _LARGEST = 720, 1800
#: What stands for characters that the font may lack.
_PLAINER = {
    "\u2013": "-",
    "\u2014": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2026": "...",
    "\u2192": "->",
    "\u00a0": " ",
}
_BACKGROUND, _INK = (250, 250, 248), (25, 25, 25)


class Canvas:
    """An image at a legible size, on which labels do not cover each other.

    Args:
        image: RGB image.

    Attributes:
        image: The image at its new size.
        scale: Pixels of the canvas for each pixel of the image.
        line: Width of lines in pixels.
    """

    def __init__(self, image: Image.Image) -> None:
        long_side = max(image.size)
        self.scale = min(max(long_side, _SMALLEST), _LARGEST) / long_side
        size = (max(1, round(image.width * self.scale)), max(1, round(image.height * self.scale)))
        self.image = image.resize(size, Image.Resampling.LANCZOS)
        self.line = max(2, max(size) // 300)
        self._draw = ImageDraw.Draw(self.image)
        self._font = font(max(13, max(size) // 55))
        self._labels: list[tuple[float, float, float, float]] = []

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Draw an outline through points of the image, dark on both sides."""
        corners = [self._at(point) for point in (*points, points[0])]
        self._draw.line(corners, _INK, self.line + 2, joint="curve")
        self._draw.line(corners, colour, self.line, joint="curve")

    def segment(self, start: Point, end: Point, colour: Colour) -> None:
        """Draw a line between two points of the image."""
        ends = [self._at(start), self._at(end)]
        self._draw.line(ends, _INK, self.line + 3)
        self._draw.line(ends, colour, self.line + 1)

    def dot(self, point: Point, colour: Colour) -> None:
        """Draw a dot on a point of the image."""
        x, y = self._at(point)
        for radius, fill in ((self.line + 3, _INK), (self.line + 1.5, colour)):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)

    def label(self, text: str, point: Point, colour: Colour) -> None:
        """Write a label whose lower left corner is a point of the image, or close to it."""
        text = drawable(text)
        left, top, right, bottom = self._font.getbbox(text)
        pad = self.line
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x, y = self._at(point)
        x = min(max(x, 0), max(0, self.image.width - width))
        y = max(y - height, 0)
        for _ in range(40):  # move down while it would cover another one
            box = (x, y, x + width, y + height)
            if not any(_overlap(box, other) for other in self._labels):
                break
            y += height / 2
        y = min(y, max(0, self.image.height - height))
        self._labels.append((x, y, x + width, y + height))
        self._draw.rectangle((x, y, x + width, y + height), colour, _INK)
        ink = _INK if sum(colour) > 330 else (255, 255, 255)
        self._draw.text((x + pad - left, y + pad - top), text, ink, self._font)

    def _at(self, point: Point) -> Point:
        return point[0] * self.scale, point[1] * self.scale


def captioned(image: Image.Image, caption: str) -> Image.Image:
    """Return an image with a caption on a band below it.

    Args:
        image: RGB image.
        caption: The caption; lines are broken to fit.
    """
    if not caption.strip():
        return image
    width = max(image.width, 360)
    size = max(15, min(30, width // 38))
    written = font(size)
    lines = _wrapped(drawable(caption), written, width - 2 * size)
    band = round(size * 1.35 * len(lines) + size)
    result = Image.new("RGB", (width, image.height + band), _BACKGROUND)
    result.paste(image, ((width - image.width) // 2, 0))
    draw = ImageDraw.Draw(result)
    for index, line in enumerate(lines):
        y = image.height + size / 2 + index * size * 1.35
        draw.text((size, y), line, _INK, written)
    return result


def side_by_side(panels: Sequence[Image.Image]) -> Image.Image:
    """Return panels beside each other, or below each other where that is less wide than high."""
    gap = 12
    across = sum(panel.width for panel in panels) + gap * (len(panels) - 1)
    down = sum(panel.height for panel in panels) + gap * (len(panels) - 1)
    widest, highest = max(p.width for p in panels), max(p.height for p in panels)
    beside = across <= 2 * down
    size = (across, highest) if beside else (widest, down)
    result = Image.new("RGB", size, _BACKGROUND)
    at = 0
    for panel in panels:
        result.paste(panel, (at, 0) if beside else (0, at))
        at += (panel.width if beside else panel.height) + gap
    return result


def drawable(text: str) -> str:
    """Return a text with plainer characters, or question marks, for those the font does not have.

    Accented letters lose their accents, since the font that comes with Pillow is small.

    Args:
        text: Any text.
    """
    return "".join(each if each.isascii() or _in_font(each) else _plainer(each) for each in text)


def _plainer(character: str) -> str:
    if character in _PLAINER:
        return _PLAINER[character]
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or "?"


@cache
def _in_font(character: str) -> bool:
    shapes = [bytes(font(20).getmask(each)) for each in (character, "\U0010ffff")]
    return shapes[0] != shapes[1]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font at a height in pixels."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _wrapped(text: str, written: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Break a text into lines that fit a width in pixels; long words are broken too."""
    lines: list[str] = []
    for paragraph in text.strip().splitlines():
        line = ""
        for word in _pieces(paragraph.split(), written, width):
            longer = f"{line} {word}".strip()
            if line and written.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _pieces(words: Iterable[str], written: ImageFont.FreeTypeFont, width: float) -> Iterator[str]:
    """Yield words, in pieces where they are wider than a line."""
    for word in words:
        while word and written.getlength(word) > width:
            cut = max(1, int(len(word) * width / written.getlength(word)) - 1)
            yield word[:cut]
            word = word[cut:]
        if word:
            yield word
