"""How an image looks as a whole: how light, how sharp, drawn or photographed, in which colours.

The measures need no model. Where they do not tell, the answer says so in place of a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.vision.answering.answers import MEASURED, Answer, hedged, refusal
from edgewright.tools.vision.answering.colours import (
    ColourShare,
    edge_colours,
    image_colours,
    is_grey,
    lab,
)
from edgewright.tools.vision.answering.evidence import COUNTED, Evidence
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.nouns import listed, number_word

if TYPE_CHECKING:
    from PIL import Image

# Thresholds chosen on the benchmark's development photographs, on the same blurred by 0.8 % of
# their long side, and on two dozen drawn wallpapers.
#: Mean lightness of a dark and of a bright image, from 0 to 100, and of one that is clearly so.
_DARK, _BRIGHT, _CLEARLY = 35.0, 65.0, 12.0
#: Blur up to which an image is sharp, and from which it is blurred; many are partly out of focus.
_SHARP, _BLURRED = 0.32, 0.6
#: Share of one colour, and of neighbours that are quite equal, from which an image is drawn; below
#: half of the second share it is a photograph.
_ONE_COLOUR, _EQUAL = 0.25, 0.66
#: Share of one colour from which an image is blank.
_BLANK = 0.99
#: Share of the image from which a colour is counted, and is named beside the main one.
_COUNTED_COLOUR, NOTED = 0.04, 0.12
#: Share of the image from which a colour is there at all.
_LEAST_COLOUR = 0.01
_SIDE, _WINDOW = 512, 11


def lightness(image: Image.Image) -> float:
    """Return the mean lightness in CIELAB, 0 to 100."""
    from PIL.Image import Resampling

    return float(lab(image.resize((96, 96), Resampling.BOX))[..., 0].mean())


def blur(image: Image.Image) -> float:
    """Return how blurred an image is, 0 to 1, as seen with a long side of 512 pixels.

    What a further blur takes from the differences of neighbours is little where they were blurred
    before (Crete et al., "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", 2007).
    """
    reduced = image.convert("L")
    reduced.thumbnail((_SIDE, _SIDE))
    values = np.asarray(reduced, np.float64)
    return max(_blur_along(values), _blur_along(values.T))


def medium(image: Image.Image) -> str:
    """Return ``drawing``, ``photograph``, ``blank``, or nothing if that cannot be told.

    Neighbouring pixels of a photograph are seldom quite the same. A drawing may be a page, a
    diagram or a picture of a screen.
    """
    from PIL.Image import Resampling

    small = image.convert("RGB").resize((96, 96), Resampling.BOX)
    pixels = np.asarray(small, np.int64).reshape(-1, 3) @ np.array([65536, 256, 1])
    most = float(np.unique(pixels, return_counts=True)[1].max() / len(pixels))
    if most >= _BLANK:
        return "blank"
    values = np.asarray(image.convert("RGB"), np.int16)
    equal = float((np.diff(values, axis=1) == 0).all(-1).mean()) if image.width > 1 else 1.0
    if most >= _ONE_COLOUR or equal >= _EQUAL:
        return "drawing"
    return "photograph" if equal < _EQUAL / 2 else ""


def looks(program: p.Looks, evidence: Evidence) -> Answer:
    """Answer whether the image is dark or bright, blurred or sharp, drawn or photographed."""
    judge = {"light": _light, "focus": _focus, "medium": _medium}[program.quality]
    name, clause, score = judge(evidence.image)
    if not program.options:
        return Answer(f"{clause[:1].upper()}{clause[1:]}.", name, score)
    if len(program.options) > 1:
        short = name if name in program.options else "neither"
    else:
        short = "yes" if (name == program.options[0]) != program.negated else "no"
    adverb = hedged(score)
    word = (f"{adverb} not" if adverb and short == "no" else f"{adverb} {short}").strip()
    return Answer(f"{word.capitalize()}: {clause}.", short, score)


def colours(program: p.Colours, evidence: Evidence) -> Answer:
    """Answer which colours the image has, how many, or whether one of them is there."""
    if program.wanted:
        return _contains(program, evidence)
    if is_grey(evidence.image)[0]:
        return Answer("The picture is in black and white.", "grey", 0.9)
    shares = [each for each in image_colours(evidence.image) if each.share >= _COUNTED_COLOUR]
    names = listed([f"{each.name} ({each.share:.0%})" for each in shares])
    noun = "colour" if len(shares) == 1 else "colours"
    text = f"I see {number_word(len(shares))} {noun}: {names}."
    short = str(len(shares)) if program.counted else shares[0].name
    return Answer(text, short, 0.7)


def _contains(program: p.Colours, evidence: Evidence) -> Answer:
    share = sum(each.share for each in image_colours(evidence.image) if each.name == program.wanted)
    holds = (share >= _LEAST_COLOUR) != program.negated
    seen = f"{share:.0%} of the picture" if share >= _LEAST_COLOUR else "hardly anything"
    word = "yes" if holds else "no"
    text = f"{word.capitalize()}: {seen} is {program.wanted}."
    return Answer(
        text, word, 0.85 if share >= _COUNTED_COLOUR or share < _LEAST_COLOUR / 2 else 0.6
    )


def background_colour(evidence: Evidence) -> Answer:
    """Answer which colour the edges of the image have, without the things that are seen there."""
    boxes = [each.box for each in evidence.objects if each.score >= COUNTED]
    shares = edge_colours(evidence.image, boxes)
    if not shares:
        raise refusal("things cover the background", "which colours the picture has")
    return main_colour(shares, "The background")


def main_colour(shares: tuple[ColourShare, ...], what: str) -> Answer:
    """Return the answer that names the main colour of something, and those beside it."""
    others = [each.name for each in shares[1:] if each.share >= NOTED]
    beside = f", beside {listed(others)}" if others else ""
    text = f"{what} is mostly {shares[0].name} ({shares[0].share:.0%} of it){beside}."
    return Answer(text, shares[0].name, min(0.95, 0.4 + shares[0].share))


def _light(image: Image.Image) -> tuple[str, str, float]:
    """Return the name of how light an image is, a clause for it, and how certain that is."""
    found = lightness(image)
    name = "dark" if found < _DARK else "bright" if found > _BRIGHT else "neither"
    clear = min(abs(found - _DARK), abs(found - _BRIGHT)) > _CLEARLY
    words = "neither dark nor bright" if name == "neither" else name
    clause = f"its mean lightness is {found:.0f} of 100, which is {words}"
    return name, clause, MEASURED if clear else 0.6


def _focus(image: Image.Image) -> tuple[str, str, float]:
    found = blur(image)
    if found <= _SHARP:
        return "sharp", "it looks sharp", 0.85
    if found >= _BLURRED:
        return "blurred", "it looks blurred", 0.85
    return "sharp", "a part of it looks sharp, and another blurred", 0.55


def _medium(image: Image.Image) -> tuple[str, str, float]:
    found = medium(image)
    if found == "blank":
        raise refusal("the picture is blank", "which colour it has")
    if not found:
        raise refusal("it may be a drawing or a photograph", "what is there")
    if found == "drawing":
        return found, "it looks drawn, or made on a computer", 0.85
    return found, "it looks like a photograph; a painting or a rendering can look the same", 0.7


def _blur_along(values: NDArray[np.float64]) -> float:
    """Return the blur along the first axis."""
    if len(values) <= _WINDOW:
        return 0.0
    padded = np.pad(values, ((_WINDOW // 2, _WINDOW // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, values.shape[1])), padded]), axis=0)
    blurred = (sums[_WINDOW:] - sums[:-_WINDOW]) / _WINDOW
    before, after = (np.abs(np.diff(each, axis=0)) for each in (values, blurred))
    lost = np.maximum(0.0, before - after)
    return float(1 - lost.sum() / max(before.sum(), 1e-9))
