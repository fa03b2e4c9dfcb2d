"""Reads what stands around mentions of images: "the one after p.png", "of these only the first"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.references import (
    SENDING,
    THING,
    WITHIN,
    Mention,
)

_EXCLUDING = re.compile(
    rf"(?:{any_of('apart_from', 'dismissal', 'instead')}|\bnot|\bwithout"
    r"|\bnothing\s+(?:from|of|about|in|on))(?:\s+for)?\s+"
    rf"(?:the\s+(?:one|{any_of('image_noun')})\s+(?:of|from|with|in)\s+)?(?:(?:the|an?)\s+)?$"
    rf"|\b(?:except(?:\s+for)?|apart\s+from|but\s+not|leaving\s+out)\s+(?:the|that|my)\s+(?:[\w-]+\s+){{0,2}}(?:one|{any_of('image_noun')})\s*[,:(]\s*$"
    r"|\b(?:excluding|except(?:ing)?|apart\s+from|other\s+than|leaving\s+out)\s+(?:any|every|all|the)\b[^,.;]{0,40}$"
    r"|(?:\bbut|,|\band|\bonly|\bjust)\s+not\s+(?:in|on|of|for|from|with)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
#: Goes on about an image: "… but the second isn't".
_SAYS = re.compile(
    r"\s+(?:(?:is|are|was|were|do|does|did|has|have)(?:n't|nt)?|shows?|contains?)\b", re.IGNORECASE
)
#: "…, the hall doesn't."
_NEEDS_NOT = re.compile(
    r"\s+(?:does|do|is|are|need|should)(?:n't|\s+not)(?:\s+need\s+(?:one|it|any))?\s*(?:[.!;]|$)",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"(?!.*\b(?:if|whether|is\s+(?:there|one))\b).*\b(?:needs?|descri\w+|caption\w*|classif\w+|label\w*)\b",
    re.IGNORECASE | re.DOTALL,
)
_AND_NOT = re.compile(r"\W*(?:and|but)\s+not\s+(?:in|on|for|with)\s+(?:the\s+)?", re.IGNORECASE)
_PREDICATE = re.compile(r"\b(?:is|are|was|were)\s+$", re.IGNORECASE)
_THING_IN = re.compile(r"\s+(?:\w+\s+){0,2}(?:in|on|at|from)\s+", re.IGNORECASE)
_SIDE_IN = re.compile(r"(?:\s+or\b.{1,20})?\s+(?:in|on|of)\s+", re.IGNORECASE)
#: "All but the second" leaves an image out, "once more but for the second" does not.
_BUT = re.compile(r"\bbut(?:\s+for)?\s+(?:the\s+)?$", re.IGNORECASE)
_SEVERAL = re.compile(
    rf"\b(?:all|any\w*|every\w*|each|both|none|nothing|no|whatever|them|these|those|{any_of('image_noun')}(?<=s))\b",
    re.IGNORECASE,
)
#: "Of these six, only the fourth is mine" is about the fourth.
_AMONG = re.compile(r"(?:^|[.!?;]\s+)(?:out\s+)?of\s+$", re.IGNORECASE)
#: "I only own one of these".
_PART_OF = re.compile(
    rf"\b(?:(?<!which\s)(?<!every\s)(?<!each\s)(?<!any\s)(?<!all\s)(?<!the\s){any_of('number')}|some|most|few|none|half)\s+of\s+$",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    rf"(?:the\s+)?\b{THING}\s+(?:that\s+(?:is|was|comes|came)\s+|(?:that\s+)?(?:i|we)(?:'ve|\s+have)?\s+{SENDING}(?:\s+(?:to\s+)?you)?\s+)?(?:(?:right|just|directly|immediately)\s+)?"
    r"(?:(?:that|which)\s+)?(?:comes\s+|came\s+)?(?P<where>after|before|following|preceding|follows|precedes)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_NEAR = (
    rf"(?:the\s+)?(?:(?:{any_of('number')}|couple|pair|{THING})\s+){{0,2}}(?:(?:that|which)\s+)?"
    r"(?:(?:is|are|was|were|comes?|lies?|sits?|right|just|directly)\s+)*"
)
#: "The two between the gate and the barn", "those on either side of the altar".
_BETWEEN = re.compile(rf"{_NEAR}(?:in\s+)?between\s+(?:the\s+)?$", re.IGNORECASE)
_AROUND = re.compile(
    rf"{_NEAR}(?:flanking|surrounding|(?:on|to)\s+(?:either|both|each)\s+sides?\s+of|around)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+(?:the\s+)?", re.IGNORECASE)
_THAT_IS = re.compile(r"(?:\s+(?:is|are|was))?\s*[-:,\u2013\u2014]\s*", re.IGNORECASE)
#: Between "everything" and the image on one side of which it is.
_SIDE = re.compile(
    r"(?:\s+(?:(?:that|which)\s+)?(?:comes?|came))?\s+(?:(?P<before>before|preceding)|after|following)\s+(?:the\s+)?",
    re.IGNORECASE,
)
#: "Starting from the second, every other one".
_STARTING = re.compile(
    r"(?:,\s*)?\b(?:start(?:ing)?|begin(?:ning)?)\s+(?:with|from|at)\s+(?:the\s+)?$", re.IGNORECASE
)
#: "The attic and the basement each need a description".
_IN_APPOSITION = re.compile(r"\s+$|\s*,\s*$")


def is_excluded(text: str, each: Mention) -> bool:
    """Return whether the words around a mention leave its images out."""
    if _NEEDS_NOT.match(text, each.end) and _NEEDED.match(text, 0, each.start):
        return True
    if not _EXCLUDING.search(text, 0, each.start) or _SAYS.match(text, each.end):
        return False
    if _AND_NOT.fullmatch(text, 0, each.start) and text.rstrip().endswith("?"):
        return False  # "and not in the second?"
    but = _BUT.search(text, 0, each.start)
    return not but or bool(_SEVERAL.search(text, 0, but.start()))


def placed(text: str, found: Sequence[Mention]) -> list[Mention]:
    """Read what stands around mentions: "the one after p.png", "of these six only the first"."""
    kept: list[Mention] = []
    for number, each in enumerate(found):
        joined = _joined(text, kept[-1], each) if kept else None
        wider = None if joined else _wider(text, each)
        if joined:
            kept[-1] = joined
        elif wider:
            kept = [other for other in kept if other.end <= wider.start]
            kept.append(wider)
        elif _says_again(text, each, kept):
            kept.append(replace(each, kind="again"))
        elif not (_counts_in(text, each, found[number + 1 :]) or _in_apposition(text, each, kept)):
            while kept and _is_within(text, kept[-1], each):
                kept.pop()  # in "the bus in the other", the bus is no image
            kept.append(each)
    return [each.of[0] if _lacks_an_end(each) else each for each in kept]


def _joined(text: str, before: Mention, each: Mention) -> Mention | None:
    """Return what a mention means together with the one before it; None if it stands alone."""
    if before.kind == "between" and len(before.of) == 1:
        if _AND.fullmatch(text, before.end, each.start):
            return replace(before, end=each.end, of=(*before.of, each))
        return None
    if before.kind == "here" and _THAT_IS.fullmatch(text, before.end, each.start):
        return each  # "what is this - the one ending in 77"
    return _beyond(text, before, each) or _regular_from(text, before, each)


def _wider(text: str, each: Mention) -> Mention | None:
    """Return what a mention means with the words before it: "the two on either side of …"."""
    if between := _BETWEEN.search(text, 0, each.start):
        return Mention("between", between.start(), each.end, of=(each,))
    around = _AROUND.search(text, 0, each.start)
    if around and each.kind in ("name", "position"):
        return Mention("around", around.start(), each.end, of=(each,))
    beside = _BESIDE.search(text, 0, each.start)
    if beside and each.kind in ("name", "position", "done") and not each.shift:
        shift = 1 if beside["where"].lower() in ("after", "following", "follows") else -1
        return replace(each, start=beside.start(), shift=shift, bare=False)
    return None


def _lacks_an_end(each: Mention) -> bool:
    """Return whether words stand between one image and nothing."""
    return each.kind == "between" and len(each.of) == 1 and len(each.of[0].numbers) < 2


def _is_within(text: str, one: Mention, other: Mention) -> bool:
    """Return whether words for an image mean a thing in another one."""
    if one.bare:
        return bool(_THING_IN.fullmatch(text, one.end, other.start))
    sides = ("left", "right", "middle")  # "the left shoe or the right one in picture three"
    return one.kind in sides and bool(_SIDE_IN.fullmatch(text, one.end, other.start))


def _counts_in(text: str, each: Mention, following: Sequence[Mention]) -> bool:
    """Return whether a mention only says among which images the next ones are counted."""
    if each.kind not in ("all", "them", "both"):
        return False
    if following and _AMONG.search(text, 0, each.start):
        return True
    return bool(_PART_OF.search(text, 0, each.start))


def _in_apposition(text: str, each: Mention, placed: Sequence[Mention]) -> bool:
    """Return whether "each" or "both" only sums up the images just named."""
    alone = text[each.start : each.end].lower() in ("each", "both", "all")
    return alone and bool(placed) and bool(_IN_APPOSITION.match(text, placed[-1].end, each.start))


def _beyond(text: str, every: Mention, each: Mention) -> Mention | None:
    """Return all images on one side of another: "everything before the tower"."""
    side = _SIDE.fullmatch(text, every.end, each.start) if every.kind in ("all", "them") else None
    if not side or each.kind not in ("name", "position"):
        return None
    shift = -1 if side["before"] else 1
    return Mention("beyond", every.start, each.end, of=(each,), shift=shift)


def _regular_from(text: str, one: Mention, other: Mention) -> Mention | None:
    """Return images at a distance, from a position: "from the second, every other one"."""
    kinds = ("every_other", "regular")
    if {one.kind, other.kind}.isdisjoint(kinds) or "position" not in (one.kind, other.kind):
        return None
    at, every = (one, other) if one.kind == "position" else (other, one)
    starting = _STARTING.search(text, 0, at.start)
    if not starting:
        return None
    distance = every.numbers[1] if every.numbers else 2
    start = min(starting.start(), one.start)
    return Mention("regular", start, other.end, numbers=(at.numbers[0], distance))


def _says_again(text: str, each: Mention, placed: Sequence[Mention]) -> bool:
    """Return whether a pronoun means the image before: "number two: which tree is this?"."""
    if not placed or placed[-1].excluded:
        return False
    if each.kind == "them":
        return bool(WITHIN.search(text, 0, each.start))
    return each.kind == "here" and bool(_PREDICATE.search(text, 0, each.start))
