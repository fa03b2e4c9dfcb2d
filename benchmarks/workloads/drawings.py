"""Drawings: pictograms of installed icon sets, letters of fonts, and garments."""

from __future__ import annotations

import itertools
import math
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from edgewright.tools.errors import NotFoundError

Pixels = NDArray[np.uint8]
#: Images and their labels.
Found = tuple[list[Image.Image], NDArray[np.int64]]

#: How much larger things are drawn before they are made smaller, for smooth edges.
_FINE = 4
_PATHS = re.compile(r'<path[^>]*\sd="([^"]+)"')
_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
SHAPES = ("circle", "square", "triangle", "star")
GARMENTS = ("t-shirt", "trousers", "dress", "bag", "shoe", "boot", "sandal")


def pictograms(
    folder: str, count: int, rng: np.random.Generator, side: int = 64
) -> list[Image.Image]:
    """Draw pictograms of an icon set, half of them bright on black and half dark on white.

    Args:
        folder: Folder of the icon set in the theme of the documentation, such as ``material``.
        count: Number of pictograms.
        rng: Chooses them.
        side: Side in pixels.

    Raises:
        NotFoundError: The theme is not installed (``data_missing``).
    """
    try:
        root = Path(str(files("material"))) / "templates" / ".icons" / folder
    except ModuleNotFoundError:
        raise NotFoundError(
            "the icons are not installed; run 'pip install mkdocs-material'", code="data_missing"
        ) from None
    names = sorted(root.glob("*.svg"))
    chosen = rng.choice(len(names), count, replace=False)
    shapes = [_pictogram(names[index].read_text("utf-8"), side) for index in chosen]
    return [_on_ground(shape, bright=number % 2 == 0) for number, shape in enumerate(shapes)]


def _pictogram(svg: str, side: int) -> Image.Image:
    """Fill the paths of a drawing; what lies inside an even number of outlines stays empty."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    box = _BOX.search(svg)
    extent = max(float(box[1]), float(box[2])) if box else 24.0
    wide = side * _FINE
    filled = np.zeros((wide, wide), bool)
    for path in _PATHS.findall(svg):
        pen = RecordingPen()
        parse_path(path, pen)
        for outline in _outlines(pen.value):
            if len(outline) > 2:
                part = Image.new("1", (wide, wide))
                scaled = [(x / extent * wide, y / extent * wide) for x, y in outline]
                ImageDraw.Draw(part).polygon(scaled, fill=1)
                filled ^= np.asarray(part)
    return Image.fromarray(filled.astype(np.uint8) * 255).resize((side, side), Image.Resampling.BOX)


def _outlines(
    commands: list[tuple[str, tuple[tuple[float, float], ...]]],
) -> list[list[tuple[float, float]]]:
    """Return the closed outlines of a recorded path, curves as short lines."""
    outlines: list[list[tuple[float, float]]] = []
    for name, points in commands:
        if name == "moveTo":
            outlines.append([points[0]])
        elif name == "lineTo":
            outlines[-1].append(points[0])
        elif name in ("curveTo", "qCurveTo"):
            control = [outlines[-1][-1], *points]
            outlines[-1] += [_on_curve(control, step / 8) for step in range(1, 9)]
    return outlines


def _on_curve(control: list[tuple[float, float]], share: float) -> tuple[float, float]:
    """Return a point of a Bézier curve."""
    while len(control) > 1:
        control = [
            ((1 - share) * a[0] + share * b[0], (1 - share) * a[1] + share * b[1])
            for a, b in itertools.pairwise(control)
        ]
    return control[0]


def _on_ground(shape: Image.Image, *, bright: bool) -> Image.Image:
    return shape if bright else Image.fromarray(255 - np.asarray(shape))


def letters(
    names: list[str], count: int, rng: np.random.Generator, side: int = 28
) -> tuple[list[Image.Image], NDArray[np.int64]]:
    """Draw letters of fonts that come with matplotlib, bright on black.

    Args:
        names: Letters; the index of each is its label.
        count: Number of images.
        rng: Chooses letters, fonts, sizes and places.
        side: Side in pixels.
    """
    import matplotlib

    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    fonts = [font for font in fonts if "Display" not in font.name]
    labels = rng.integers(0, len(names), count)
    images = []
    for label in labels:
        size = int(side * rng.uniform(0.7, 0.95))
        font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), size)
        image = Image.new("L", (side, side))
        at = tuple(side / 2 + rng.uniform(-2, 2, 2))
        ImageDraw.Draw(image).text(at, names[label], fill=255, font=font, anchor="mm")
        images.append(image.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR))
    return images, labels


def garments(
    count: int, rng: np.random.Generator, side: int = 28
) -> tuple[list[Image.Image], NDArray[np.int64]]:
    """Draw clothes and shoes in grey on black, shaded, with folds and patterns.

    One in five is unusual: a bold pattern, too bright or too dark, glittering, outlined or cut off.

    Args:
        count: Number of images.
        rng: Chooses kinds, proportions and shades.
        side: Side in pixels.
    """
    labels = rng.integers(0, len(GARMENTS), count)
    drawn = [_garment(int(label), rng, side) for label in labels]
    return [_unusual(each, rng) if rng.random() < 0.2 else each for each in drawn], labels


def _unusual(garment: Image.Image, rng: np.random.Generator) -> Image.Image:
    grey = np.asarray(garment, float) / 255
    down, across = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    tall, wide = rng.integers(1, 5, 2)
    steep = np.abs(np.gradient(grey)).sum(axis=0)
    kinds = (
        grey * ((across // wide + down // tall) % 2),
        grey * 3,
        grey * 0.25,
        (grey > 0) * rng.normal(0.5, 0.5, grey.shape),
        steep * 1.5,
        np.roll(grey * rng.uniform(0.3, 2), rng.integers(-5, 6), 0),
    )
    return Image.fromarray(np.uint8(np.clip(kinds[rng.integers(len(kinds))], 0, 1) * 255))


def _garment(kind: int, rng: np.random.Generator, side: int) -> Image.Image:
    width = side * _FINE
    image = Image.new("L", (width, width))
    draw = ImageDraw.Draw(image)
    wide, high = rng.uniform(0.75, 1.0, 2)
    for outline in _OUTLINES[kind](rng):
        placed = [(0.5 + (x - 0.5) * wide, 0.5 + (y - 0.5) * high) for x, y in outline]
        draw.polygon([(x * width, y * width) for x, y in placed], fill=255)
    image = image.rotate(float(rng.normal(0, 6)), Image.Resampling.BILINEAR)
    mask = np.asarray(image.filter(ImageFilter.GaussianBlur(_FINE / 2)), float) / 255
    down, across = np.mgrid[0:width, 0:width] / width
    shade = rng.uniform(0.15, 1.1) + 0.25 * (across - 0.5) * rng.normal()
    shade = shade + 0.12 * np.sin(across * rng.uniform(8, 60) + rng.uniform(0, 6)) * rng.random()
    if rng.random() < 0.3:  # stripes
        shade = shade * (1 - 0.5 * (np.sin(down * rng.uniform(30, 90)) > 0.2))
    elif rng.random() < 0.3:  # a print
        x, y, radius = rng.uniform(0.3, 0.7, 3)
        inside = np.hypot(across - x, down - y) < radius / 3
        shade = np.where(inside, rng.uniform(0.1, 1.0), shade)
    texture = rng.normal(0, rng.uniform(0.0, 0.15), (side, side))
    grey = Image.fromarray(np.uint8(np.clip(mask * shade, 0, 1) * 255))
    grey = grey.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2) * _FINE))
    small = np.asarray(grey.resize((side, side), Image.Resampling.BOX), float) / 255
    small = np.clip(small * (1 + texture), 0, 1)
    return Image.fromarray(np.uint8(small * 255))


Outline = list[tuple[float, float]]


def _mirrored(half: Outline) -> Outline:
    """Complete the right half of an outline by the left one."""
    return [*half, *[(1 - x, y) for x, y in reversed(half)]]


def _shirt(rng: np.random.Generator) -> list[Outline]:
    body, sleeve, hem = rng.uniform(0.2, 0.3), rng.uniform(0.1, 0.2), rng.uniform(0.85, 0.98)
    long = rng.uniform(0.3, 0.9)
    return [
        _mirrored([
            (0.5 + 0.09, 0.06), (0.5 + body, 0.12), (0.5 + body + sleeve, long),
            (0.5 + body + sleeve - 0.13, long + 0.03), (0.5 + body - 0.01, 0.36), (0.5 + body, hem),
        ])
    ]  # fmt: skip


def _trousers(rng: np.random.Generator) -> list[Outline]:
    waist, cuff, foot = rng.uniform(0.13, 0.22), rng.uniform(0.08, 0.14), rng.uniform(0.88, 0.98)
    crotch, spread = rng.uniform(0.3, 0.45), rng.uniform(0.02, 0.12)
    right = [
        (0.5, 0.04), (0.5 + waist, 0.04), (0.5 + waist + spread / 2, crotch),
        (0.5 + spread + cuff, foot), (0.5 + spread, foot), (0.5, crotch),
    ]  # fmt: skip
    return [right, [(1 - x, y) for x, y in right]]


def _dress(rng: np.random.Generator) -> list[Outline]:
    waist, hem = rng.uniform(0.08, 0.15), rng.uniform(0.15, 0.36)
    shoulder = rng.uniform(0.1, 0.2)
    return [
        _mirrored([(0.55, 0.05), (0.5 + shoulder, 0.04), (0.5 + waist, 0.38), (0.5 + hem, 0.96)])
    ]


def _bag(rng: np.random.Generator) -> list[Outline]:
    top, half, bottom = rng.uniform(0.35, 0.5), rng.uniform(0.3, 0.45), rng.uniform(0.8, 0.95)
    handle, reach = rng.uniform(0.12, 0.28), rng.uniform(0.06, 0.25)
    arc = [
        (0.5 + handle * math.cos(a), top + 0.02 - (top - reach) * math.sin(a))
        for a in np.linspace(0, math.pi, 12)
    ]
    inner = [(0.5 + (x - 0.5) * 0.8, top + 0.02 - (top + 0.02 - y) * 0.85) for x, y in arc]
    lean = rng.uniform(-0.05, 0.08)
    return [
        [*arc, *inner[::-1]],
        [
            (0.5 - half + lean, top),
            (0.5 + half - lean, top),
            (0.5 + half, bottom),
            (0.5 - half, bottom),
        ],
    ]


def _shoe(rng: np.random.Generator) -> list[Outline]:
    sole, heel, toe = rng.uniform(0.66, 0.75), rng.uniform(0.3, 0.45), rng.uniform(0.52, 0.62)
    return [[
        (0.04, sole), (0.05, heel), (0.2, heel + 0.05), (0.35, heel + 0.08), (0.6, toe - 0.04),
        (0.85, toe + 0.02), (0.97, sole - 0.04), (0.96, sole + 0.03), (0.04, sole + 0.03),
    ]]  # fmt: skip


def _boot(rng: np.random.Generator) -> list[Outline]:
    top, ankle, sole = rng.uniform(0.05, 0.2), rng.uniform(0.35, 0.5), rng.uniform(0.82, 0.95)
    return [[
        (0.12, sole), (0.14, top), (ankle + 0.08, top), (ankle + 0.1, sole - 0.35),
        (0.75, sole - 0.2), (0.95, sole - 0.1), (0.96, sole),
    ]]  # fmt: skip


def _sandal(rng: np.random.Generator) -> list[Outline]:
    sole, lift = rng.uniform(0.7, 0.85), rng.uniform(0.0, 0.3)
    sole_line = [(0.04, sole - lift), (0.5, sole - lift / 3), (0.96, sole), (0.96, sole + 0.05),
                 (0.5, sole + 0.07), (0.04, sole - lift + 0.07)]  # fmt: skip
    straps = []
    for _ in range(rng.integers(2, 5)):
        left, right, top = rng.uniform(0.05, 0.5), rng.uniform(0.4, 0.95), rng.uniform(0.25, 0.6)
        thick = rng.uniform(0.03, 0.08)
        straps.append(
            [(left, sole - lift), (right, top), (right + thick, top), (left + thick, sole)]
        )
    return [sole_line, *straps]


_OUTLINES = (_shirt, _trousers, _dress, _bag, _shoe, _boot, _sandal)


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
