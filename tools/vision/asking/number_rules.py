"""Questions about how many there are, and which are more or bigger."""

from __future__ import annotations

import re
from dataclasses import replace

from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.phrases import (
    COLOUR,
    mention_of,
)
from edgewright.tools.vision.asking.rules import SEEN, first, pair, rule
from edgewright.tools.vision.asking.wording import BE, SEE
from edgewright.tools.vision.asking.words import COLOUR_WORDS


@rule(rf"how many (?P<noun>.+?)(?P<rest> {SEEN}| {BE} .+| (?:do|does|have|has) .+)?")
def _how_many(match: re.Match[str]) -> p.Program | None:
    mention, rest = mention_of(match["noun"]), (match["rest"] or "").strip()
    if mention is None or (mention.thing is None and not rest):
        return None
    if not rest or re.fullmatch(SEEN, rest):
        return p.Count(mention)
    found = re.fullmatch(rf"(?:{BE}(?: there)?|{SEE}) (.+)", rest)
    if found is None:
        return None
    if re.fullmatch(COLOUR, found[1]):
        return p.Count(replace(mention, colour=COLOUR_WORDS[found[1].split()[-1]]))
    conditioned = mention_of(f"{match['noun']} {found[1]}")
    return p.Count(conditioned) if conditioned and conditioned.thing else None


@rule(r"(?:count|(?:what is )?(?:the )?(?:number|count) of) (?:all )?(?:the )?(?P<noun>.+)")
def _count(match: re.Match[str]) -> p.Program | None:
    mention = mention_of(match["noun"])
    return p.Count(mention) if mention and mention.thing else None


@rule(
    rf"{BE} there (?P<how>more|fewer|less) (?P<left>.+?) than (?:there are )?(?P<right>.+)",
    rf"{SEE} (?P<how2>more|fewer|less) (?P<left2>.+?) than (?P<right2>.+)",
)
def _compare(match: re.Match[str]) -> p.Program | None:
    both = pair(first(match, "left"), first(match, "right"))
    how = "more" if first(match, "how") == "more" else "fewer"
    return p.Compare(*both, "more" if how == "more" else "fewer") if both else None


@rule(
    rf"{BE} there (?:as many|the same number of|equally many) (?P<left>.+?) (?:as|and) "
    r"(?P<right>.+)"
)
def _as_many(match: re.Match[str]) -> p.Program | None:
    both = pair(match["left"], match["right"])
    return p.Compare(*both, "equal") if both else None


@rule(
    rf"(?:which|what) {BE} (?:there )?more(?: of| numerous| frequent)? (?P<left>.+?) or "
    r"(?P<right>.+)",
    rf"{BE} there more (?P<left2>.+?) or (?:more )?(?P<right2>.+)",
)
def _more_of(match: re.Match[str]) -> p.Program | None:
    both = pair(first(match, "left"), first(match, "right"))
    return p.Compare(*both, "which") if both else None


@rule(
    rf"{BE} (?P<left>the .+?) (?P<how>bigger|larger|taller|wider|smaller|shorter) than "
    r"(?P<right>.+)"
)
def _bigger(match: re.Match[str]) -> p.Program | None:
    both = pair(match["left"], match["right"])
    return p.Bigger(*both, match["how"] in ("smaller", "shorter")) if both else None


@rule(
    rf"(?:which|what|who) (?:{BE}|looks?) (?:the )?"
    r"(?P<how>bigger|larger|taller|wider|smaller|shorter) (?P<left>.+?) or (?P<right>.+)"
)
def _bigger_of(match: re.Match[str]) -> p.Program | None:
    both = pair(match["left"], match["right"])
    return p.Bigger(*both, match["how"] in ("smaller", "shorter"), which=True) if both else None


@rule(
    rf"(?:what|which)(?: (?:thing|object|item))? {BE} (?:the )?(?P<how>biggest|largest|smallest)"
    r"(?: (?:thing|object|item))?"
)
def _largest(match: re.Match[str]) -> p.Program | None:
    return p.Largest(match["how"] == "smallest")


#: The rules in the order in which they are tried.
NUMBER_RULES = (
    _how_many,
    _count,
    _compare,
    _as_many,
    _more_of,
    _bigger,
    _bigger_of,
    _largest,
)
