"""Finds images by a part of their names: "the evening tray" for tray_evening.jpg."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.positions import position

#: Stands, letter by letter, for a noun that the names of several images share.
PLACEHOLDER = "\u0298"

_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
#: Parts that say nothing about an image.
_EMPTY = frozenset(words("empty_part"))
#: A part is at least this long; from the longer length on, it may also end a longer word.
_MIN_PART, _MIN_END = 3, 5
_CALENDAR = frozenset(words("calendar"))
#: Before a word that means a certain thing: "the", "my", "in", "Maya's".
_DEFINITE = re.compile(
    r"(?:\b(?:the|my|our|his|her|their|this|that|your|both|all|each|every|these|those)\s+(?:\w+\s+){0,2}?|\w's\s+"
    r"|\b(?:in|on|from|under|at|of|for|about|called|named|titled)\s+)$",
    re.IGNORECASE,
)
_INDEFINITE = re.compile(
    r"\b(?:an?|any|some|no|many|much|which|what|more|another|each|every|kind|sort)\s+(?:(?!about\b)\w+\s+)?$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,;:.!?]|\b(?:and|but|or|than)\b", re.IGNORECASE)
#: Before a noun that counts images: "the second", "both", "these three".
_COUNTING = re.compile(
    r"\b(?:(?:left|right|middle|cent(?:re|er))(?:-hand)?"
    rf"|{any_of('ordinal', 'last_word', 'first_word')}|both|other|previous|next|these|those"
    rf"|this|that|each|every|all|the(?=\s+{any_of('number')}\b))\s+(?:(?:of\s+)?(?:the|my|these)\s+)?"
    rf"(?:{any_of('number')}\s+)?$",
    re.IGNORECASE,
)

_RANKED = re.compile(
    rf"\b(?:the|my)\s+(?P<rank>{any_of('ordinal', 'last_word')})\s+(?P<noun>[a-z]{{3,}})\b",
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


def by_parts(text: str, names: Sequence[str]) -> list[Spot]:
    """Find the words of a text that are parts of some of the names, but not of all.

    Args:
        text: The normalised text.
        names: Names of the images, with their folders.

    Returns:
        Start, end and the indices of the images. Words of one phrase narrow one another.
    """
    parts = [_parts(name) for name in names]
    found: list[Spot] = []
    for start, end, images in _spots(text, parts):
        last = found[-1] if found else None
        both = tuple(n for n in last[2] if n in images) if last else ()
        if last and both and not _BETWEEN.search(text, last[1], start):
            found[-1] = (last[0], end, both)
        elif last is None or start >= last[1]:
            found.append((start, end, images))
    return found


def ranked(text: str, names: Sequence[str]) -> list[Spot]:
    """Find the images that are counted among those with a part: "the second bedroom"."""
    parts = [_parts(name) for name in names]
    found: list[Spot] = []
    for match in _RANKED.finditer(text):
        word = _plain(match["noun"])
        among = [n for n, each in enumerate(parts) if any(_same(word, part) for part in each)]
        rank = position(match["rank"])
        if 1 < len(among) < len(names) and 0 < abs(rank) <= len(among):
            found.append((*match.span(), (among[rank - 1 if rank > 0 else rank],)))
    return found


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
    shared = Counter(_singular(part) for name in names for part in _parts(name))

    def replaced(match: re.Match[str]) -> str:
        counts = _COUNTING.search(text, 0, match.start())
        number = shared[_singular(match[0].lower())]
        if number < len(names) and counts and _WHOLE.fullmatch(counts[0]):
            return match[0]  # "both bedrooms" of three rooms are named by that part
        return PLACEHOLDER * len(match[0]) if number > 1 and counts else match[0]

    return _LETTERS.sub(replaced, text)


def _spots(text: str, parts: Sequence[frozenset[str]]) -> Iterator[Spot]:
    """Yield where a definite word, or two, are a part of some names."""
    tokens = list(_WORD.finditer(text))
    for number, token in enumerate(tokens):
        own = token[0].lower().endswith("'s")
        if _INDEFINITE.search(text, 0, token.start()):
            continue
        if not own and not _DEFINITE.search(text, 0, token.start()):
            continue
        following = tokens[number + 1 : number + 2]
        for last in [*following, token]:
            word = _plain(text[token.start() : last.end()])
            images = tuple(n for n, each in enumerate(parts) if any(_same(word, p) for p in each))
            if 0 < len(images) < len(parts):
                yield token.start(), last.end(), images
                break


def _parts(name: str) -> frozenset[str]:
    """Return the parts of a name that say something."""
    found = frozenset(part.lower() for part in _LETTERS.findall(name.rsplit(".", 1)[0]))
    return frozenset(part for part in found if len(part) >= _MIN_PART) - _EMPTY


def _plain(said: str) -> str:
    """Return words as one, in lower case: "floor plan" is floorplan, "Maya's" is maya."""
    return re.sub(r"'s\b|-hand\b|[\s'-]", "", said.lower())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > _MIN_PART else word


def _same(word: str, part: str) -> bool:
    """Return whether a word is a part of a name, or a longer word that ends with it."""
    if len(word) < _MIN_PART:
        return False
    if word in _CALENDAR and word.startswith(part):
        return True
    if _singular(word) == _singular(part):
        return True
    shorter, longer = sorted((word, part), key=len)
    return len(shorter) >= _MIN_END and longer.endswith(shorter)
