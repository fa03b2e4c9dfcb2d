"""Questions about the colour and place of things, and how they lie to each other."""

from __future__ import annotations

import re
from dataclasses import replace

from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.phrases import (
    COLOUR,
    PLACE,
    RELATION,
    mention_of,
    place_of,
    relation_of,
)
from edgewright.tools.vision.asking.rules import first, pair, rule
from edgewright.tools.vision.asking.wording import BE, IMAGE, IMAGE_NOUN, SEE
from edgewright.tools.vision.asking.words import COLOUR_WORDS

_BACKGROUND = r"(?:(?:the|its|this|that) )?(?:back ?ground|backdrop)"
_MAIN = r"(?:dominant|main|predominant|prevailing|overall|most (?:common|frequent))"
_POSTURE = r"(?:located |standing |sitting |lying )?"


@rule(
    rf"(?:of )?(?:what|which) colours? (?:{BE}|has|have|does|do) (?P<noun>.+?)(?: have| painted)?",
    rf"what {BE} the (?:colours? of (?P<noun2>.+)|(?P<noun5>(?!{_MAIN})\w+(?: \w+)?) colours?)",
    rf"what {BE} (?P<noun3>.+) 's colour",
    r"(?:the )?colours? of (?P<noun4>.+)",
)
def _colour(match: re.Match[str]) -> p.Program | None:
    noun = first(match, "noun")
    if re.fullmatch(_BACKGROUND, noun):
        return p.Colour(background=True)
    if re.fullmatch(rf"{IMAGE}|{IMAGE_NOUN}|most(?: of {IMAGE})?|there|(?:you|we|i) see", noun):
        return p.Colour()
    mention = mention_of(noun)
    return p.Colour(replace(mention, definite=True)) if mention else None


@rule(
    rf"(?:what|which) (?:{BE} )?(?:the )?{_MAIN} colours?(?: {BE}.*| of {IMAGE})?",
    rf"(?:what|which) colours? (?:dominates?|prevails?|{BE} (?:dominant|predominant|most .+"
    rf"|the .+))(?: {IMAGE})?",
)
def _main_colour(match: re.Match[str]) -> p.Program | None:
    return p.Colour()


@rule(
    rf"{BE} (?:not )?(?P<noun>(?:the|this|that|these|those|my) .+?|it|this) (?P<not>not )?"
    rf"(?:mostly |mainly |predominantly |largely )?"
    rf"(?P<colours>{COLOUR}(?:(?: or| and)? {COLOUR})*)(?: colou?red| in colour)?"
)
def _is_colour(match: re.Match[str]) -> p.Program | None:
    noun = match["noun"]
    names = tuple(COLOUR_WORDS[word] for word in match["colours"].split() if word in COLOUR_WORDS)
    mention = mention_of(noun)
    if re.fullmatch(_BACKGROUND, noun):
        asked = p.Colour(background=True)
    elif re.fullmatch(IMAGE, noun):
        asked = p.Colour()
    elif mention is None or mention.thing is None or mention.unknown:
        return None
    else:
        asked = p.Colour(mention)
    return p.IsColour(asked, names, bool(match["not"]))


@rule(
    r"(?:where(?: ?about| ?abouts)?|(?:in|on) (?:which|what) (?:part|corner|side|area))"
    rf"(?: (?:of|in) {IMAGE})? (?:{BE}|{SEE}|can i find|does|do) (?P<noun>.+?)"
    r"(?: (?:located|positioned|placed|found|sitting|standing|lying|stand|sit|lie))?"
)
def _where(match: re.Match[str]) -> p.Program | None:
    mention = mention_of(match["noun"])
    if mention is None or mention.thing is None or mention.unknown:
        return None
    return p.Where(replace(mention, definite=True))


@rule(
    rf"{BE} (?:not )?(?!there\b)(?P<noun>.+?) (?P<not>not )?(?:more )?"
    rf"(?P<places>{PLACE}(?: or {PLACE})*)(?: of {IMAGE})?"
)
def _is_at(match: re.Match[str]) -> p.Program | None:
    mention = mention_of(match["noun"])
    places = tuple(place_of(part) for part in match["places"].split(" or "))
    if mention is None or mention.thing is None or mention.unknown or not all(places):
        return None
    return p.IsAt(mention, places, bool(match["not"]))


@rule(
    rf"(?:what|who|(?:what|which) (?:thing|object|animal|item)s?) (?:{BE}|can be (?:seen|found)"
    rf"|do you see|stands|sits|lies) {_POSTURE}(?:{RELATION}) (?P<noun>(?:the|a|an|this|that) .+)"
)
def _related_what(match: re.Match[str]) -> p.Program | None:
    other = mention_of(match["noun"])
    if other is None or other.thing is None or re.fullmatch(IMAGE, match["noun"]):
        return None
    return p.RelatedWhat(relation_of(match), other)


@rule(
    rf"{BE} (?:not )?(?!there\b)(?P<noun>.+?) (?P<not>not )?{_POSTURE}(?:{RELATION}) (?P<other>.+)"
)
def _related(match: re.Match[str]) -> p.Program | None:
    both = pair(match["noun"], match["other"])
    if both is None or re.fullmatch(IMAGE, match["other"]):
        return None
    return p.Related(both[0], relation_of(match), both[1], bool(match["not"]))


#: The rules in the order in which they are tried.
ATTRIBUTE_RULES = (
    _colour,
    _main_colour,
    _is_colour,
    _where,
    _is_at,
    _related_what,
    _related,
)
