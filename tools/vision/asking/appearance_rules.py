"""Questions about how the image looks as a whole: light, focus, colours, drawn or not."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.phrases import COLOUR
from edgewright.tools.vision.asking.rules import SEEN, rule
from edgewright.tools.vision.asking.wording import BE, IMAGE, IMAGE_NOUN, SEE, SHOW
from edgewright.tools.vision.asking.words import COLOUR_WORDS

_Quality: TypeAlias = Literal["light", "focus", "medium"]

#: Words for each option. What is well lit is not dark.
_WORDS: dict[_Quality, dict[str, str]] = {
    "light": {
        "dark": r"dark|dim|gloomy|under ?exposed|(?:badly|poorly) lit",
        "bright": r"bright|light|over ?exposed|washed out",
        "lit": r"well (?:lit|exposed|illuminated)|bright enough|light enough",
    },
    "focus": {
        "blurred": r"blurred|blurry|fuzzy|unsharp|out of focus|unfocus+ed|shaky",
        "sharp": r"sharp|clear|in focus|crisp|focus+ed|sharp enough",
    },
    "medium": {
        "drawing": r"drawing|drawn|illustration|cartoon|graphic|clip ?art|computer graphics?",
        "photograph": r"photograph|photo|real photo(?:graph)?",
    },
}
_DEGREE = (
    r"(?:(?:too|very|quite|rather|really|a bit|a little|somewhat|pretty|mostly|overall|so|just"
    r"|an?|more|actually) )*"
)
_SEEMS = rf"(?:{BE}|does)(?: not)? {IMAGE}(?: look| seem| appear)?(?: like| to be| taken| rather)?"
_HOW = {"light": "dark|bright|light", "focus": "sharp|blurred|blurry"}


@rule(
    rf"{_SEEMS} (?P<not>not )?{_DEGREE}(?P<options>.+?(?: or (?:not|{_DEGREE}.+))?)"
    rf"(?: {IMAGE_NOUN})?",
    r"(?:dark|bright|sharp|blurry|blurred) or \w+",
)
def _looks(match: re.Match[str]) -> p.Program | None:
    words = match["options"] or match[0]
    found = [_option(word) for word in re.split(r" or ", words) if word != "not"]
    qualities = {one[0] for one in found if one}
    if len(qualities) != 1 or not all(found):
        return None
    names = tuple(one[1] for one in found if one)
    negated = bool(match["not"])
    if names == ("lit",):
        names, negated = ("dark",), not negated
    return p.Looks(qualities.pop(), names, negated)


@rule(
    rf"how (?P<word>{'|'.join(_HOW.values())}) {BE} {IMAGE}",
    rf"what {BE} the (?P<light>lighting|exposure|brightness)(?: of {IMAGE})?(?: like)?",
)
def _how(match: re.Match[str]) -> p.Program | None:
    light = match["light"] or re.fullmatch(_HOW["light"], match["word"])
    return p.Looks("light" if light else "focus")


@rule(
    rf"(?P<number>how many (?:different |main )?)colours?(?: {SEEN}| has {IMAGE}"
    rf"| does {IMAGE} have)?(?: .*)?",
    rf"(?:what|which) colours(?: (?:{SEEN}|{BE} used|appear))?|colours",
    rf"(?:list|name|give)(?: me)? (?:the |all |all the |its )?(?:main )?colours?(?: of {IMAGE})?",
)
def _colours(match: re.Match[str]) -> p.Program | None:
    return p.Colours(counted=bool(match["number"]))


@rule(
    rf"(?:{BE} (?:not )?there|{SEE}|does {IMAGE} (?:{SHOW})) (?P<no>anything|something|nothing"
    rf"|no|any|some)(?: (?:thing|part))? (?:that {BE} )?(?P<colour>{COLOUR})",
)
def _has_colour(match: re.Match[str]) -> p.Program | None:
    name = COLOUR_WORDS[match["colour"].split()[-1]]
    return p.Colours(wanted=name, negated=match["no"] in ("no", "nothing"))


def _option(words: str) -> tuple[_Quality, str] | None:
    """Return the quality and the name of an option; None if it is another one."""
    plain = re.sub(rf"^{_DEGREE}|(?: {IMAGE_NOUN})$", "", words)
    return next(
        (
            (quality, name)
            for quality, names in _WORDS.items()
            for name, form in names.items()
            if re.fullmatch(form, plain) or re.fullmatch(form, words)
        ),
        None,
    )


#: The rules in the order in which they are tried.
APPEARANCE_RULES = (_looks, _how, _colours, _has_colour)
