"""Nouns by which images are counted: "the second tray", where several names say tray."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.described import parts_of, singular
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.positions import position

#: Stands, letter by letter, for a noun that the names of several images share.
PLACEHOLDER = "\u0298"

_LETTERS = re.compile(r"[^\W\d_]+")
#: Before a noun that counts images: "the second", "both", "these three".
_COUNTING = re.compile(
    r"\b(?:(?:left|right|middle|cent(?:re|er))(?:-hand)?"
    rf"|{any_of('ordinal', 'last_word', 'first_word')}|both|other|previous|next|these|those"
    rf"|this|that|each|every|all|the(?=\s+{any_of('number')}\b))\s+(?:(?:of\s+)?(?:the|my|these)\s+)?"
    rf"(?:{any_of('number')}\s+)?$",
    re.IGNORECASE,
)

_WHOLE = re.compile(
    r"(?:both|all|each|every|these|those)\s+(?:(?:of\s+)?(?:the|my|these)\s+)?", re.IGNORECASE
)

#: Things that are counted within an image, or in time: "the second floor", "last night".
_NO_IMAGE = (
    r"(?:time|day|night|week|weekend|month|year|summer|winter|name|half|floor|store?y|row|line|column|word|letter"
    r"|digit|part|place|thing|step|question|task|answer|point|chance|minute|second|try|resort|goal"
    r"|person|man|woman|boy|girl|child|left|right|to|from|of|in|on|and|or|is|are|was|has|does|can)\b"
)
#: "The third bottle" of three images of bottles.
_COUNTED_THING = re.compile(
    rf"\b(?:the|my|on|in)\s+(?:the\s+)?(?P<rank>{any_of('ordinal', 'last_word')})\s+"
    rf"(?!{_NO_IMAGE})(?P<noun>[a-z]{{3,}})\b(?!\s+(?:from|in|on|to)\s+the\b)",
    re.IGNORECASE,
)

Spot = tuple[int, int, tuple[int, ...]]


def counted_things(text: str, count: int) -> list[Spot]:
    """Find things that are counted like the images that show them, one in each.

    Args:
        text: The normalised text.
        count: Number of images.

    Returns:
        Start, end and the position, from 1 or negative from the end.
    """
    return [
        (match.start("rank"), match.end(), (rank,))
        for match in _COUNTED_THING.finditer(text)
        if 0 < abs(rank := position(match["rank"])) <= count
    ]


def as_images(text: str, names: Sequence[str]) -> str:
    """Replace a noun that several names share where it counts images: "the second tray"."""
    shared = Counter(singular(part) for name in names for part in parts_of(name))

    def replaced(match: re.Match[str]) -> str:
        counts = _COUNTING.search(text, 0, match.start())
        number = shared[singular(match[0].lower())]
        if number < len(names) and counts and _WHOLE.fullmatch(counts[0]):
            return match[0]  # "both bedrooms" of three rooms are named by that part
        return PLACEHOLDER * len(match[0]) if number > 1 and counts else match[0]

    return _LETTERS.sub(replaced, text)
