"""Questions across images, turned into one about each: "which of these has the most people?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.tools.vision.asking.wording import BE, IMAGE_NOUN, SHOW

_WHICH = (
    rf"(?:which(?: (?:one|ones|{IMAGE_NOUN}s?))?|what (?:one|ones|{IMAGE_NOUN}s?))"
    rf"(?: of (?:these|them|those|(?:the|these|those|my|our)(?: \w+){{0,2}}? (?:ones|{IMAGE_NOUN}s)"
    r"|the (?:two|three|four|five|six)))?"
)
_THOSE = rf"(?:all |only |just )?(?:the |those |any |all the )?(?:ones?|{IMAGE_NOUN}s?)"
_FIND = r"(?:find|show|pick(?: out)?|choose|select|list|give|get|name|search(?: for)?|look for)"
_HAS = rf"(?:{SHOW}|has|have|(?:does |do )?{SHOW})"
#: Ways to ask whether something is there: what follows is what.
_PRESENT = (
    rf"(?:in|on) {_WHICH} (?:{BE} there|(?:do|can) (?:you|we|i) see) (?P<what>.+)",
    rf"{_WHICH} {_HAS} (?P<what>.+)",
    rf"(?:{_FIND}(?: me| us)? )?{_THOSE} (?:with|of|containing|showing|where there (?:is|are)"
    rf"|(?:that|which) (?:{_HAS}|{BE} of)) (?P<what>.+)",
)
_AMOUNT = r"(?:the )?(?P<amount>most|more|fewest|fewer|least|less) (?P<noun>.+)"
_IS = rf"{_WHICH} (?:{BE}|looks?)(?: the)? (?P<how>.+?)(?: (?:one|{IMAGE_NOUN}))?"
_DEGREE = r"(?:more|most|less|least) \w+|\w+(?:er|est)"
#: By the stem of an adjective: the question that measures, the superlative, and whether the lowest
#: measure wins.
_ADJECTIVES = {
    "bright": ("how bright is it", "brightest", False),
    "light": ("how bright is it", "lightest", False),
    "dark": ("how bright is it", "darkest", True),
    "sharp": ("how sharp is it", "sharpest", False),
    "blurr": ("how sharp is it", "blurriest", True),
    "larg": ("how large is it", "largest", False),
    "big": ("how large is it", "biggest", False),
    "small": ("how large is it", "smallest", True),
}


@dataclass(frozen=True)
class OneImage:
    """What a question across images asks of each.

    Attributes:
        question: The question about one image, in plain form.
        best: What is said of the image that wins a comparison; empty without one.
        least: Whether the lowest measure wins.
    """

    question: str
    best: str = ""
    least: bool = False


def of_each(text: str) -> OneImage | None:
    """Return what a question across images asks of each; None if it is about one.

    Args:
        text: The question in plain form.
    """
    for form in _PRESENT:
        if match := re.fullmatch(form, text):
            return _counted(match["what"]) or OneImage(f"is there {match['what']}")
    match = re.fullmatch(_IS, text)
    if match is None:
        return None
    if re.fullmatch(_DEGREE, match["how"]):
        return _compared(match["how"])
    return OneImage(f"is it {match['how']}")


def _counted(words: str) -> OneImage | None:
    match = re.fullmatch(_AMOUNT, words)
    if match is None:
        return None
    least = match["amount"] in ("fewest", "fewer", "least", "less")
    best = f"has the {'fewest' if least else 'most'} {match['noun']}"
    return OneImage(f"how many {match['noun']}", best, least)


def _compared(words: str) -> OneImage | None:
    plain = re.sub(r"^(?:more|most) |(?:i?er|i?est|y|ed)$", "", words)
    stem = next((stem for stem in _ADJECTIVES if plain in (stem, f"{stem}{stem[-1]}")), None)
    if stem is None:
        return None
    question, superlative, least = _ADJECTIVES[stem]
    return OneImage(question, f"is the {superlative}", least)
