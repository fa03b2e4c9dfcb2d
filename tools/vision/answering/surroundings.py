"""Answers about where and when an image was taken: indoors or outdoors, by day or by night."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import yaml

from edgewright.tools.vision.answering.answers import Answer, hedged, refusal
from edgewright.tools.vision.answering.colours import lab, sky_colours
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.labels import imagenet_labels

Place = Literal["indoors", "outdoors"]

#: Score from which a place is named, and the most that may speak for the other one.
_CLEAR, _AGAINST = 0.6, 0.35
#: Score from which an object speaks for a place, and how far it is believed.
_SEEN, _TRUST = 0.5, 0.9
_BLUE_SKY = 0.5
#: Lightness of the upper edge: brighter by day, darker at night; and of the whole image by day.
_DAY_SKY, _NIGHT_SKY, _DAY = 35.0, 22.0, 35.0
#: At night something is lit: the 95th percentile of lightness.
_LIT = 60.0
_SIDE, _EDGE = 64, 8


def setting(program: p.Setting, evidence: Evidence) -> Answer:
    """Answer whether an image was taken indoors or outdoors, or by day or by night."""
    found = surroundings(evidence)
    if program.options[0] in ("day", "night"):
        seen, score = _time(evidence) if found and found[0] == "outdoors" else ("", 0.0)
    else:
        seen, score = found or ("", 0.0)
    if not seen:
        what = " or ".join(_EITHER[program.options[0]])
        raise refusal(f"whether it is {what} cannot be told from this image", "what there is")
    text = f"it was {hedged(score)} taken {_IN_WORDS[seen]}.".replace("  ", " ")
    if len(program.options) > 1:
        return Answer(text.capitalize(), seen, score)
    yes = "yes" if (seen == program.options[0]) != program.negated else "no"
    return Answer(f"{yes.capitalize()}: {text}", yes, score)


def surroundings(evidence: Evidence) -> tuple[Place, float] | None:
    """Return where an image was taken and how strongly that is supported; None if unclear."""
    outdoors, indoors = _support("outdoors", evidence), _support("indoors", evidence)
    if outdoors >= _CLEAR and indoors < _AGAINST:
        return "outdoors", outdoors
    if indoors >= _CLEAR and outdoors < _AGAINST:
        return "indoors", indoors
    return None


#: What is asked for together with each of several.
_EITHER = {name: pair for pair in (("indoors", "outdoors"), ("day", "night")) for name in pair}
_IN_WORDS = {"indoors": "indoors", "outdoors": "outdoors", "day": "by day", "night": "at night"}


def _support(place: Place, evidence: Evidence) -> float:
    """Return how strongly labels, objects and the sky speak for a place, 0 to 1."""
    labels, objects = _signs(place)
    labelled = sum(
        score
        for name, score in zip(imagenet_labels(), evidence.probabilities, strict=True)
        if name in labels
    )
    doubt = 1 - min(labelled, 1.0)
    seen = {each.label: each.score for each in reversed(evidence.objects) if each.score >= _SEEN}
    for label in objects & set(seen):
        doubt *= 1 - _TRUST * seen[label]
    if place == "outdoors" and (sky := sky_colours(evidence.image)) and sky[0].name == "blue":
        doubt *= 1 - _BLUE_SKY * sky[0].share
    return min(1 - doubt, 0.99)


def _time(evidence: Evidence) -> tuple[str, float]:
    """Return whether it is day or night outdoors, and how strongly that is supported."""
    lightness = lab(evidence.image.convert("RGB").resize((_SIDE, _SIDE)))[..., 0]
    above = float(np.median(lightness[:_EDGE]))
    if above >= _DAY_SKY and float(lightness.mean()) >= _DAY:
        return "day", 0.75
    dark = above < _NIGHT_SKY and bool(sky_colours(evidence.image))
    return ("night", 0.6) if dark and float(np.percentile(lightness, 95)) >= _LIT else ("", 0.0)


@cache
def _signs(place: Place) -> tuple[frozenset[str], frozenset[str]]:
    """Return the labels and the objects that speak for a place."""
    text = (files("edgewright.tools.vision.answering") / "surroundings.yaml").read_text("utf-8")
    entry = yaml.load(text, Loader=yaml.CSafeLoader)[place]
    return frozenset(entry["labels"]), frozenset(entry["objects"])
