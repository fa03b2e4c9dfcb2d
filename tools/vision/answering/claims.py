"""Comparing what a generating model claims with the evidence."""

from __future__ import annotations

import re

from edgewright.tools.vision.answering.answers import Answer
from edgewright.tools.vision.answering.colours import same_colour
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.asking.nouns import listed, number_of
from edgewright.tools.vision.asking.things import Thing, things
from edgewright.tools.vision.asking.words import COLOUR_WORDS

#: Argument in which a node passes a model's answer or caption to the expert that checks it.
CLAIM = "claim"
_LONGEST_NOUN = 3


def disputed_caption(claim: str, evidence: Evidence) -> str:
    """Return what the evidence has against a caption, as a sentence; empty if nothing.

    Args:
        claim: The caption.
        evidence: What experts see.
    """
    missing = [thing for thing in _named(claim) if evidence.find(thing).verdict == "no"]
    if not missing:
        return ""
    return f"The detectors see no {listed([thing.name for thing in missing], 'or')}."


def disputed_answer(claim: str, answer: Answer) -> str:
    """Return what the evidence has against an answer, as a sentence; empty if nothing.

    Args:
        claim: The model's answer.
        answer: The answer from evidence to the same question.
    """
    said = " ".join(re.findall(r"[\w']+", claim.lower()))
    return f"The evidence says otherwise: {answer.text}" if _differ(said, answer.short) else ""


def _differ(said: str, short: str) -> bool:
    """Return whether two short answers exclude each other; what cannot be compared does not."""
    if short in ("yes", "no"):
        return said in ("yes", "no") and said != short
    if short == "none":
        return said not in ("no", "none", "nothing", "nobody", "0")
    if (number := number_of(short)) is not None:
        given = number_of(said)
        return given is not None and given != number
    if said in COLOUR_WORDS:
        seen = [name for name in short.split(" and ") if name in COLOUR_WORDS]
        return bool(seen) and not any(same_colour(COLOUR_WORDS[said], name) for name in seen)
    one, two = things().find(said), things().find(short)
    if one is None or two is None:
        return False
    return not (one.detected & two.detected or one.labels & two.labels)


def _named(claim: str) -> list[Thing]:
    """Return the things in a text whose absence detectors can tell, longest nouns first."""
    words = re.findall(r"[a-z']+", claim.lower())
    found: dict[str, Thing] = {}
    start = 0
    while start < len(words):
        for length in range(min(_LONGEST_NOUN, len(words) - start), 0, -1):
            thing = things().find(" ".join(words[start : start + length]))
            if thing and (thing.detected or thing.parent) and not thing.stuff:
                found[thing.name] = thing
                start += length - 1
                break
        start += 1
    return list(found.values())
