"""Reading text: a network finds lines, another one reads each (PP-OCR).

The line finder is a segmentation network with differentiable binarisation (Liao et al., 2020): it
returns, for each pixel, the probability that it belongs to the shrunken core of a line. The reader
returns a probability for each character at each of many steps along a line, decoded greedily
(connectionist temporal classification, Graves et al., 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgewright.tools.contracts.perceptions import TextLine
from edgewright.tools.vision.perception.regions import Array, regions, smallest_rectangle

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

#: The short side is enlarged to this size, unless the long side would exceed the second one.
_SHORT_SIDE, _LONG_SIDE = 736, 1280
#: Both sides of the finder's input are multiples of this.
_STRIDE = 32
_PIXEL, _REGION = 0.3, 0.5
#: Cores are as much smaller than their lines as this ratio of area to perimeter.
_EXPANSION = 1.6
#: Regions thinner than this, in pixels of the finder's input, are noise.
_THINNEST = 3.0
_LINE_HEIGHT, _LINE_WIDTH, _LONGEST_LINE = 48, 320, 3200
#: Lines read with less certainty are read upside down as well.
_CERTAIN = 0.9
#: Lines that are not read with this certainty are left out.
_READABLE = 0.5
#: A line this much taller than wide runs vertically.
_VERTICAL = 1.5
#: Maximum number of lines that are read; the most certain regions come first.
_MAX_LINES = 200


class TextReader:
    """Finds and reads the lines of text in an image.

    Args:
        find: float32 ``[1, 3, H, W]`` to the probability of each pixel, ``[1, 1, H, W]``.
        read: float32 ``[1, 3, 48, W]`` to the probability of each character at each step, ``[1, T,
            C]``; character 0 means none.
        characters: The reader's characters from index 1 on.
    """

    def __init__(self, find: Network, read: Network, characters: Sequence[str]) -> None:
        self._find = find
        self._read = read
        self._characters = characters

    def lines(self, image: Image.Image) -> tuple[TextLine, ...]:
        """Read an image.

        Args:
            image: Upright RGB image.

        Returns:
            The lines in reading order.
        """
        quads = self._quads(image)
        found = [self._line(image, quad) for quad in quads]
        kept = [(line, turned) for line, turned in found if line.score >= _READABLE and line.text]
        upside_down = sum(turned for _, turned in kept) * 2 > len(kept)
        return in_reading_order([line for line, _ in kept], upside_down=upside_down)

    def _quads(self, image: Image.Image) -> list[Array]:
        """Return the corners of each line, clockwise, in pixels of the image."""
        width, height = _finder_size(*image.size)
        pixels = _normalised(image.resize((width, height), Image.Resampling.BILINEAR))
        scores = self._find(pixels)[0, 0]
        scale = np.array([image.width / width, image.height / height])
        quads = text_rectangles(scores)
        return [quad * scale for quad in quads[:_MAX_LINES]]

    def _line(self, image: Image.Image, quad: Array) -> tuple[TextLine, bool]:
        """Read one line; return it, and whether it was upside down."""
        quad = _from_first_character(quad)
        text, score = self._decoded(_cut_out(image, quad))
        turned = False
        if score < _CERTAIN:
            other = np.roll(quad, -2, axis=0)
            other_text, other_score = self._decoded(_cut_out(image, other))
            if other_score > score:
                quad, text, score, turned = other, other_text, other_score, True
        bounded = np.clip(quad, 0, [image.width, image.height])
        polygon = tuple((round(float(x), 1), round(float(y), 1)) for x, y in bounded)
        return TextLine(text=text.strip(), score=round(score, 4), polygon=polygon), turned

    def _decoded(self, line: Image.Image) -> tuple[str, float]:
        """Return the text of a line and the mean probability of its characters."""
        width = round(line.width * _LINE_HEIGHT / line.height)
        width = min(max(width, 1), _LONGEST_LINE)
        pixels = _normalised(line.resize((width, _LINE_HEIGHT), Image.Resampling.BILINEAR))
        missing = max(_LINE_WIDTH - width, 0)
        padded = np.pad(pixels, ((0, 0), (0, 0), (0, 0), (0, missing)))
        return decode_characters(self._read(padded)[0], self._characters)


def text_rectangles(scores: NDArray[np.float32]) -> list[Array]:
    """Return the rectangles of the lines in a map of scores, most certain first.

    Args:
        scores: float32 ``[H, W]``, the probability that a pixel belongs to the core of a line.

    Returns:
        Corners of each rectangle, clockwise, float64 ``[4, 2]``.
    """
    mask = scores > _PIXEL
    grown = mask.copy()  # joins cores that almost touch
    grown[:, 1:] |= mask[:, :-1]
    grown[1:] |= grown[:-1]
    found: list[tuple[float, Array]] = []
    for points in regions(grown):
        core = smallest_rectangle(points)
        sides = _sides(core)
        if min(sides) < _THINNEST or (score := _mean_inside(scores, core)) < _REGION:
            continue
        distance = sides[0] * sides[1] * _EXPANSION / (2 * sum(sides))
        found.append((score, _expanded(core, distance)))
    return [quad for _, quad in sorted(found, key=lambda pair: -pair[0])]


def decode_characters(
    probabilities: NDArray[np.float32], characters: Sequence[str]
) -> tuple[str, float]:
    """Decode a line greedily: the best character of each step, without repeats and blanks.

    Args:
        probabilities: float32 ``[T, C]``; index 0 means no character.
        characters: Characters from index 1 on.

    Returns:
        The text, and the mean probability of its characters; 0 for an empty text.
    """
    best = probabilities.argmax(axis=1)
    new = np.append(True, best[1:] != best[:-1]) & (best > 0)
    if not new.any():
        return "", 0.0
    text = "".join(characters[index - 1] for index in best[new])
    return text, min(float(probabilities[new, best[new]].mean()), 1.0)


def in_reading_order(
    lines: Sequence[TextLine], *, upside_down: bool = False
) -> tuple[TextLine, ...]:
    """Sort lines by rows from top to bottom, and each row from left to right.

    Args:
        lines: The lines.
        upside_down: Whether to sort as for an image that is turned by half.
    """
    sign = -1 if upside_down else 1
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: sign * line.box.centre[1]):
        box = line.box
        last = rows[-1][0].box if rows else None
        level = last is not None and abs(last.centre[1] - box.centre[1]) < 0.5 * min(
            last.height, box.height
        )
        if level:
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [sorted(row, key=lambda line: sign * line.box.x0) for row in rows]
    return tuple(line for row in ordered for line in row)


def _finder_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of the finder's input for an image."""
    scale = max(_SHORT_SIDE / min(width, height), 1.0)
    scale = min(scale, _LONG_SIDE / max(width, height))

    def rounded(side: int) -> int:
        return max(round(side * scale / _STRIDE), 1) * _STRIDE

    return rounded(width), rounded(height)


def _normalised(image: Image.Image) -> NDArray[np.float32]:
    """Return blue, green and red from -1 to 1, float32 ``[1, 3, H, W]``."""
    pixels = np.asarray(image, dtype=np.float32)[:, :, ::-1] / 127.5 - 1
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])


def _sides(quad: Array) -> tuple[float, float]:
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def _mean_inside(scores: NDArray[np.float32], quad: Array) -> float:
    """Return the mean of the scores inside a rectangle."""
    height, width = scores.shape
    low = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(quad.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    size = high - low + 1
    mask = Image.new("1", (int(size[0]), int(size[1])))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in quad - low], fill=1, outline=1)
    inside = np.asarray(mask)
    return float(scores[low[1] : high[1] + 1, low[0] : high[0] + 1][inside].mean())


def _expanded(quad: Array, distance: float) -> Array:
    """Move the sides of a rectangle outwards."""
    along, across = quad[1] - quad[0], quad[3] - quad[0]
    along, across = along / np.linalg.norm(along), across / np.linalg.norm(across)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * distance
    expanded: Array = quad + signs[:, :1] * along + signs[:, 1:] * across
    return expanded


def _from_first_character(quad: Array) -> Array:
    """Rotate the corners so that they begin where the text probably begins.

    Text is taken to run from left to right, or from bottom to top if its line is tall.
    """
    start = int(np.argmin(quad.sum(axis=1)))
    quad = np.roll(quad, -start, axis=0)
    if abs(quad[1] - quad[0])[0] < abs(quad[1] - quad[0])[1]:  # turned by more than 45 degrees
        quad = np.roll(quad, 1, axis=0)
    along, across = _sides(quad)
    return np.roll(quad, 1, axis=0) if across >= _VERTICAL * along else quad


def _cut_out(image: Image.Image, quad: Array) -> Image.Image:
    """Cut a rectangle out of an image, turned so that its first corner is the upper left one."""
    width, height = (max(round(side), 1) for side in _sides(quad))
    right, down = (quad[1] - quad[0]) / width, (quad[3] - quad[0]) / height
    coefficients = (right[0], down[0], quad[0][0], right[1], down[1], quad[0][1])
    return image.transform(
        (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
