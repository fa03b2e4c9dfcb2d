"""Names of colours, and the colours of an object's own pixels.

Colours are compared in CIELAB (CIE 1976, D65 white), whose distances follow what people see; their
names are the eleven basic ones of English (Berlin and Kay, *Basic Color Terms*, 1969).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.perceptions import Box

if TYPE_CHECKING:
    from PIL import Image

#: Names that people use for the same colour, so that asking for one accepts the other.
_NEIGHBOURS = {
    frozenset(pair)
    for pair in (
        ("red", "orange"),
        ("orange", "brown"),
        ("orange", "yellow"),
        ("pink", "purple"),
        ("purple", "blue"),
        ("grey", "white"),
        ("grey", "black"),
    )
}
#: A vivid colour stands out among neutral ones from this share on.
_VIVID = frozenset(["red", "orange", "yellow", "green", "blue", "purple", "pink"])
_NEUTRAL, _STANDS_OUT = frozenset(["black", "grey", "white"]), 0.2
_SIDE = 96
_CLUSTERS = 6
#: How far the edges reach into an image, as a share of its sides.
_EDGE = 0.12
_STEP = 3.0
#: The shaded sides of things in these colours look brown, if this share of them is bright.
_BRIGHT, _SHADED = ("red", "orange", "yellow"), 0.18
#: Share of an object's pixels from which a colour is its colour, or the second of two.
MAIN, SECOND = 0.25, 0.22
#: The same for a neutral colour beside another one: wheels and shade are not named.
_NEUTRAL_SECOND = 0.4
#: The sky lies in this upper share of an image, and is smooth: lightness varies less than this.
#: Clouds make it rough; then this share of it must be blue.
_SKY, _SMOOTH, _CLEARLY = 0.15, 12.0, 0.5
#: Mean chroma from which a sky is blue, not only bluish as in a storm.
_BLUE = 25.0
#: Mean chroma below which an image is black and white, and its 99th percentile.
_GREY_MEAN, _GREY_MOST = 2.0, 7.0


@dataclass(frozen=True)
class ColourShare:
    """A colour and the share of pixels that have it."""

    name: str
    share: float


def lab(image: Image.Image) -> NDArray[np.float64]:
    """Convert an RGB image to CIELAB, ``[H, W, 3]``: lightness 0 to 100, then a and b."""
    rgb = np.asarray(image.convert("RGB"), np.float64) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1
    )


def colour_name(lightness: float, a: float, b: float) -> str:
    """Return the basic name of a CIELAB colour."""
    chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)
    if lightness < 12 or (lightness < 22 and chroma < 12):
        return "black"
    faint = 15 if 190 < hue < 310 else 9  # metal and shade look bluish
    if chroma < faint or (chroma < 14 and lightness < 40) or (chroma < 13 and lightness > 90):
        return "white" if lightness > 82 else "grey" if lightness > 22 else "black"
    if hue < 105 or hue >= 340:
        return _warm(lightness, chroma, (hue + 20) % 360 - 20)
    if hue < (298 if chroma < 75 else 308):
        return "green" if hue < 195 else "blue"
    return "purple" if hue < 325 or lightness < 60 else "pink"


def _warm(lightness: float, chroma: float, hue: float) -> str:
    """Return the name of a colour between pink (hue -20) and yellow (105)."""
    if hue < 20:
        return "pink" if lightness > 58 or hue < 0 else "red"
    if hue < 48:
        if chroma < 32 or (lightness < 30 and hue > 42):
            return "brown" if lightness < 68 else "pink"
        if lightness < (42 if hue > 42 else 56):
            return "red"
        return "orange" if hue > 38 or chroma > 50 else "pink"
    if hue < 75:
        return "orange" if chroma > 45 and lightness > 50 else "brown"
    tan = 38 if lightness < 70 and hue < 87 else 25  # fur, wood and skin; lemons are greener
    if chroma < tan or lightness < 50:
        return "brown" if lightness < 82 else "white" if chroma < 18 else "yellow"
    return "yellow"


def same_colour(name: str, other: str) -> bool:
    """Return whether people may use both names for one colour."""
    return name == other or frozenset((name, other)) in _NEIGHBOURS


def image_colours(image: Image.Image) -> tuple[ColourShare, ...]:
    """Return the colours of a whole image, the most frequent first."""
    small = _reduced(image, _SIDE)
    return _shares(lab(small).reshape(-1, 3), np.ones(_SIDE * _SIDE))


def vivid_colours(shares: Sequence[ColourShare]) -> tuple[ColourShare, ...]:
    """Return the vivid colours but green as shares of their sum, if they are a good part at all."""
    vivid = [each for each in shares if each.name in _VIVID and each.name != "green"]
    whole = sum(each.share for each in vivid)
    if whole < _STANDS_OUT:
        return ()
    return tuple(ColourShare(each.name, each.share / whole) for each in vivid)


def sky_colours(image: Image.Image) -> tuple[ColourShare, ...]:
    """Return the colours of the upper edge of an image if it is smooth or blue, else none."""
    band = image.crop((0, 0, image.width, max(1, round(image.height * _SKY))))
    shares = image_colours(band)
    rough = float(np.std(lab(_reduced(band, 48))[..., 0])) > _SMOOTH
    if rough and (shares[0].name != "blue" or shares[0].share < _CLEARLY):
        return ()
    return shares


def is_blue_sky(image: Image.Image) -> bool:
    """Return whether the upper edge of an image is clearly blue and smooth."""
    shares = sky_colours(image)
    if not shares or shares[0].name != "blue" or shares[0].share < _CLEARLY:
        return False
    values = lab(_reduced(image, 48, (0, 0, image.width, max(1, round(image.height * _SKY)))))
    return float(np.hypot(values[..., 1], values[..., 2]).mean()) >= _BLUE


def object_colours(image: Image.Image, box: Box) -> tuple[ColourShare, ...]:
    """Return the colours of an object's own pixels, the most frequent first.

    The box and a margin around it are clustered by colour. A cluster counts by how much more of it
    lies inside, towards the centre of the box, than in the margin, which shows the background.

    Args:
        image: The whole image.
        box: The object's box in pixels of the image.
    """
    margin_x, margin_y = 0.2 * box.width + 2, 0.2 * box.height + 2
    around = (
        max(0, round(box.x0 - margin_x)),
        max(0, round(box.y0 - margin_y)),
        min(image.width, round(box.x1 + margin_x)),
        min(image.height, round(box.y1 + margin_y)),
    )
    small = _reduced(image, _SIDE, around)
    pixels = lab(small).reshape(-1, 3)
    inside, outside = _weights(box, around)
    clusters, nearest = _cluster(pixels)
    weight = np.zeros(len(pixels))
    for index in range(len(clusters)):
        mine = nearest == index
        within = inside[mine].sum() / max(inside.sum(), 1e-9)
        without = outside[mine].sum() / outside.sum() if outside.sum() > 0 else 0.0
        weight[mine] = max(0.0, 1 - without / max(within, 1e-9))
    weight *= inside
    if weight.sum() < 0.1 * inside.sum():
        weight = inside
    return _shares(pixels, weight)


def described(shares: tuple[ColourShare, ...]) -> tuple[str, float]:
    """Return an object's colour in words, and how much of it they cover.

    A vivid colour names a thing before the black, grey or white of its other parts does, as with a
    red motorcycle.

    Returns:
        ``red``, or ``black and white`` where two colours share an object; empty without any that
        stands out.
    """
    vivid = next(
        (each for each in shares if each.name in _VIVID and each.share >= _STANDS_OUT), None
    )
    if vivid and shares[0].name in _NEUTRAL:
        return vivid.name, vivid.share + shares[0].share
    if not shares or shares[0].share < MAIN:
        return "", 0.0
    least = _NEUTRAL_SECOND if len(shares) > 1 and shares[1].name in _NEUTRAL else SECOND
    if shares[0].name in _NEUTRAL:
        least = SECOND
    if len(shares) > 1 and shares[1].share >= least and shares[0].share < 0.6:
        return f"{shares[0].name} and {shares[1].name}", shares[0].share + shares[1].share
    return shares[0].name, shares[0].share


def is_grey(image: Image.Image) -> tuple[bool, float]:
    """Return whether an image has no colours, and its mean chroma."""
    small = _reduced(image, 128)
    values = lab(small)
    chroma = np.hypot(values[..., 1], values[..., 2])
    mean = float(chroma.mean())
    return mean < _GREY_MEAN and float(np.percentile(chroma, 99)) < _GREY_MOST, mean


def edge_colours(image: Image.Image, boxes: Sequence[Box]) -> tuple[ColourShare, ...]:
    """Return the colours of an image along its edges, the most frequent first.

    Args:
        image: The image.
        boxes: What is not counted, in pixels of the image.

    Returns:
        The colours; none if the boxes leave less than a tenth of the edges.
    """
    x = (np.arange(_SIDE)[None, :] + 0.5) / _SIDE
    y = (np.arange(_SIDE)[:, None] + 0.5) / _SIDE
    weight = (np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) < _EDGE).astype(np.float64)
    whole = weight.sum()
    for box in boxes:
        across = (x * image.width >= box.x0) & (x * image.width <= box.x1)
        weight[across & (y * image.height >= box.y0) & (y * image.height <= box.y1)] = 0.0
    if weight.sum() < 0.1 * whole:
        return ()
    return _shares(lab(_reduced(image, _SIDE)).reshape(-1, 3), weight.ravel())


def _reduced(
    image: Image.Image, side: int, box: tuple[int, int, int, int] | None = None
) -> Image.Image:
    """Return a part of an image as a small square, whose pixels are means."""
    from PIL.Image import Resampling

    return image.convert("RGB").resize((side, side), Resampling.BOX, box=box)


def _without_shade(totals: dict[str, float]) -> None:
    """Count brown as the shade of a brighter colour that a good part of the pixels has."""
    bright = max(_BRIGHT, key=lambda name: totals.get(name, 0.0))
    if totals.get(bright, 0.0) >= _SHADED * sum(totals.values()) and "brown" in totals:
        totals[bright] += totals.pop("brown")


def _weights(
    box: Box, around: tuple[int, int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight of each pixel inside the box, by nearness to its centre, and around it."""
    x = np.linspace(around[0], around[2], _SIDE, endpoint=False)[None, :]
    y = np.linspace(around[1], around[3], _SIDE, endpoint=False)[:, None]
    centre_x, centre_y = box.centre
    across = np.abs(x - centre_x) / max(box.width / 2, 1)
    along = np.abs(y - centre_y) / max(box.height / 2, 1)
    inside = np.where((across <= 1) & (along <= 1), np.clip(1.3 - across**2 - along**2, 0, 1), 0.0)
    outside = ((across > 1) | (along > 1)).astype(np.float64)
    return inside.ravel(), outside.ravel()


def _cluster(pixels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cluster colours by k-means from spread starting points; deterministic."""
    scaled = pixels * np.array([0.7, 1.0, 1.0])  # shadows matter less than hues
    centres = scaled[[int(np.argmin(scaled.sum(1)))]]
    for _ in range(_CLUSTERS - 1):
        gaps = ((scaled[:, None] - centres[None]) ** 2).sum(-1).min(1)
        centres = np.vstack([centres, scaled[int(np.argmax(gaps))]])
    nearest = np.zeros(len(scaled), np.int64)
    for _ in range(8):
        nearest = ((scaled[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        for index in range(len(centres)):
            if (mine := nearest == index).any():
                centres[index] = scaled[mine].mean(0)
    return centres, nearest


def _shares(pixels: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[ColourShare, ...]:
    """Return the share of each name; colours nearer than ``_STEP`` are named together."""
    steps = np.round(pixels / _STEP).astype(np.int64) + 256
    keys, first, which = np.unique(
        (steps[:, 0] * 512 + steps[:, 1]) * 512 + steps[:, 2],
        return_index=True,
        return_inverse=True,
    )
    amounts = np.bincount(which.ravel(), weights=weight, minlength=len(keys))
    totals: dict[str, float] = {}
    for index, amount in zip(first, amounts, strict=True):
        if amount > 0:
            name = colour_name(*pixels[index])
            totals[name] = totals.get(name, 0.0) + float(amount)
    _without_shade(totals)
    whole = sum(totals.values())
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    return tuple(ColourShare(name, total / whole) for name, total in ordered)
