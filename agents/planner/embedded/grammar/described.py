"""Finds the images that words of a text fit: parts of names, numbers, dates, and what was told.

A word, a number after a noun, a date or a time that fits some of the images but not all is a clue.
Clues of one phrase narrow one another: "the garden picture of 3 May" is the image that fits both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, zip_longest

from edgewright.agents.planner.embedded.grammar.dates import dated
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.positions import numerals, position

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
#: Parts of a name: words, also those that begin with a capital inside it, and numbers.
_PART = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
#: Parts that say nothing about an image.
_EMPTY = frozenset(words("empty_part"))
_CLOSED = frozenset(words("closed_class")) | frozenset(words("no_content"))
_CALENDAR = frozenset(words("calendar"))
#: A word may be longer or shorter than a part from this length on; it may end like a longer one
#: from the longer length on.
_MIN_WORD, _MIN_START, _MIN_END = 3, 4, 5
_ENDING = re.compile(r"(?:e?s|e?d|ing|er|r|n|y|al|inal|t|nails?)?")
#: Before a word that means a certain thing: "the", "my", "in", "Maya's".
_DEFINITE = re.compile(
    r"(?:\b(?:the|my|our|his|her|their|this|that|your|both|all|each|every|these|those)\s+(?:\w+\s+){0,2}?|\w's\s+"
    rf"|\b(?:{any_of('image_noun')}|one)\s+(?:with|showing)\s+"
    r"|\b(?:in|on|from|under|at|of|for|about|by|between|called|named|titled|label+ed|marked)\s+['\"]?)$",
    re.IGNORECASE,
)
_INDEFINITE = re.compile(
    r"\b(?:an?|any|some|no|many|much|which|what|more|another|each|every|kind|sort)\s+(?:(?!about\b)\w+\s+)?$",
    re.IGNORECASE,
)
#: "The one that is not a screenshot".
_IS_NOT = re.compile(
    r"\b(?:that|which)(?:'s|\s+is|\s+are)?(?:\s+not|n't)\s+(?:an?\s+)?$", re.IGNORECASE
)
_DIRECTLY = re.compile(r"\b(?:the|my)\s+$", re.IGNORECASE)
_THE = re.compile(r"\b(?:the|my)\s+", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+)['\"(]*$")
#: What makes a word at the start of a clause a heading: "Front view: …", "Kyoto, describe".
_BEFORE_HEADING = re.compile(r"(?:^|[.!?;,]\s+)(?:and\s+|for\s+)?$", re.IGNORECASE)
_AFTER_HEADING = re.compile(r"(?:\s+[\w-]+)?\s*(?::|\s[-\u2013\u2014]\s)")
#: Ends a phrase; a clause is ended by less.
_BREAK = re.compile(
    r"[,;:.!?]|\b(?:and|but|or|than|not|between|i|i'd|we|is|are|was|were|has|have)\b", re.IGNORECASE
)
_CLAUSE_BREAK = re.compile(r"[,;:!?]|\.\s|\b(?:and|but|or|than|not)\b", re.IGNORECASE)

#: Around a word that says which image is meant: "the garden photo", "both garden photos".
_WITH_NOUN = re.compile(rf"['\"]?\s+(?:{any_of('image_noun')}|ones?)\b", re.IGNORECASE)
_ARTICLE = re.compile(
    r"\b(?:the|my|both|all|these|those)\s+(?:(?:of\s+)?(?:the|my)\s+)?(?:(?:two|three|four|five|\d)\s+)?['\"]?$",
    re.IGNORECASE,
)
_NUMBER = any_of("number")
_LABEL = rf"(?:{_NUMBER}\b|(?-i:[A-H])\b)"
#: "House 12", "exercises 2 to 4", "nest A".
_NUMBERED = re.compile(
    rf"(?:\b(?:the|my)\s+)?\b(?P<noun>(?!(?:{any_of('image_noun')}|{any_of('number')}|through|thru|the|an?)\b)[a-z][a-z-]*)"
    rf"(?:\s+(?:number|no\.?|nr\.?)\s+|\s*#|\s+|-)(?P<labels>{_LABEL}(?:\s*(?:,|&|-|\u2013|and|to|through)\s*{_LABEL})*)(?!['.]\d)",
    re.IGNORECASE,
)
_RANKED = re.compile(
    rf"\b(?:the|my)\s+(?P<rank>{any_of('ordinal', 'last_word')})\s+(?P<noun>[a-z]{{2,}})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clue:
    """Words that fit some of the images.

    Attributes:
        start: Start in the text.
        end: End in the text.
        images: Indices of the images.
        sure: Whether they mean images whatever else the clause mentions.
    """

    start: int
    end: int
    images: tuple[int, ...]
    sure: bool = False


def described(text: str, names: Sequence[str], told: Sequence[frozenset[str]] = ()) -> list[Clue]:
    """Find the words of a text that fit some of the images.

    Args:
        text: The normalised text.
        names: Names of the images, with their folders.
        told: Words that the person said of each image.

    Returns:
        A clue for each phrase, in order.
    """
    if len(names) < 2:
        return []
    sure = [*_numbered(text, names), *_ranked(text, names)]
    sure += [Clue(start, end, images, sure=True) for start, end, images in dated(text, names)]
    others = [
        each
        for each in _worded(text, names, told)
        if not any(each.start < other.end and other.start < each.end for other in sure)
    ]
    return _narrowed(text, sorted([*sure, *others], key=lambda each: each.start))


@lru_cache(maxsize=512)
def parts_of(name: str) -> frozenset[str]:
    """Return the words of an image's name and folder that say something."""
    whole = _LETTERS.findall(name.rsplit(".", 1)[0].lower())  # "whatsapp" besides "whats", "app"
    found = frozenset(part for part in (*_pieces(name), *whole) if part.isalpha())
    return frozenset(part for part in found if len(part) > 1) - _EMPTY


def _narrowed(text: str, clues: Sequence[Clue]) -> list[Clue]:
    """Let the clues of one phrase narrow one another; words that fit no such image are dropped."""
    found: list[Clue] = []
    for each in clues:
        last = found[-1] if found else None
        if last is None or each.start >= last.end:
            both = tuple(n for n in last.images if n in each.images) if last else ()
            breaks = _CLAUSE_BREAK if last and last.sure and each.sure else _BREAK
            if last and both and not breaks.search(text, last.end, each.start):
                found[-1] = replace(last, end=each.end, images=both, sure=last.sure or each.sure)
            else:
                found.append(each)
    return found


def _worded(text: str, names: Sequence[str], told: Sequence[frozenset[str]]) -> Iterator[Clue]:
    """Yield where a word, or two, is a part of some names or was said of some images."""
    parts, heard = tuple(map(parts_of, names)), tuple(told)
    tokens = list(_WORD.finditer(text))
    for token, following in zip_longest(tokens, tokens[1:]):
        word = plain(token[0])
        if following and text[token.end() : following.start()].isspace():
            images = _fitting(word + plain(following[0]), parts, exact=True)
            if images and _means_one(text, token, following, word):
                yield Clue(token.start(), following.end(), images)  # "floor plan": floorplan.png
                continue
        if images := _fitting(word, heard):
            yield Clue(token.start(), token.end(), images)
            continue
        images = () if word in _CLOSED and len(word) >= _MIN_WORD else _fitting(word, parts)
        if not images and "-" in token[0]:
            halves = [_fitting(plain(half), parts) for half in token[0].split("-")]
            images = next(filter(None, halves), ())
        if images and (noun := _WITH_NOUN.match(text, token.end())):
            article = _ARTICLE.search(text, 0, token.start())
            if article and (len(images) == 1 or noun[0].lower().endswith("s")):
                yield Clue(article.start(), noun.end(), images, sure=True)
                continue
        if images and _means_one(text, token, token, word):
            yield Clue(token.start(), token.end(), images)


@lru_cache(maxsize=4096)
def _fitting(
    word: str, known: tuple[frozenset[str], ...], *, exact: bool = False
) -> tuple[int, ...]:
    """Return the images that a word fits, if it does not fit all."""
    fits = _is_form if exact else _same
    images = tuple(n for n, each in enumerate(known) if any(fits(word, part) for part in each))
    return images if len(images) < len(known) else ()


def _is_form(word: str, part: str) -> bool:
    return word == part or singular(word) == singular(part)


def _means_one(text: str, first: re.Match[str], last: re.Match[str], word: str) -> bool:
    """Return whether words mean something certain, by the words and marks around them."""
    own = first[0].lower().endswith("'s")
    if len(word) < _MIN_WORD and not own:
        return bool(_DIRECTLY.search(text, 0, first.start()))
    if own or text[: first.start()].endswith(("'", '"')) or _IS_NOT.search(text, 0, first.start()):
        return True
    if _INDEFINITE.search(text, 0, first.start()):
        return False
    if _DEFINITE.search(text, 0, first.start()):
        return True
    if _BEFORE_HEADING.search(text, 0, first.start()) and _AFTER_HEADING.match(text, last.end()):
        return True
    proper = first[0].istitle() and last[0].istitle()
    return proper and not _SENTENCE_START.search(text, 0, first.start())


def _numbered(text: str, names: Sequence[str]) -> Iterator[Clue]:
    """Yield where a noun with a number, or a letter, is in some names: "house 12" for house12."""
    for match in _NUMBERED.finditer(text):
        noun = match["noun"].lower()
        labels = _labels(match["labels"])
        left_open = match["labels"].lower() == "one" and _THE.match(match[0])  # "the small one"
        if noun in _CLOSED or not labels or left_open:
            continue
        found = [_labelled(noun, label, names) for label in labels]
        images = tuple(dict.fromkeys(n for each in found for n in each))
        if all(found) and len(images) < len(names) + (len(labels) > 1):
            yield Clue(*match.span(), images, sure=True)


def _ranked(text: str, names: Sequence[str]) -> Iterator[Clue]:
    """Yield images counted among those with a part, or by a number: "the second bedroom"."""
    parts = [parts_of(name) for name in names]
    for match in _RANKED.finditer(text):
        word, rank = plain(match["noun"]), position(match["rank"])
        if word in _CLOSED:
            continue
        labelled = _labelled(word, str(rank), names) if rank > 0 else ()
        if labelled and len(labelled) < len(names):
            yield Clue(*match.span(), labelled, sure=True)
            continue
        among = [n for n, each in enumerate(parts) if any(_same(word, part) for part in each)]
        if 1 < len(among) < len(names) and 0 < abs(rank) <= len(among):
            yield Clue(*match.span(), (among[rank - 1 if rank > 0 else rank],), sure=True)


def _labels(written: str) -> tuple[str, ...]:
    """Return numbers, with ranges filled in, or letters, as names have them."""
    letters = re.findall(r"\b[A-H]\b", written)
    return tuple(map(str.lower, letters)) or tuple(map(str, numerals(written)))


def _labelled(noun: str, label: str, names: Sequence[str]) -> tuple[int, ...]:
    """Return the images in whose names a label follows a noun, or its first letters."""
    return tuple(
        n
        for n, name in enumerate(names)
        if any(
            part.isalpha()
            and _value(after) == label
            and (_same(noun, part) or noun.startswith(part))
            for part, after in _pairs(name)
        )
    )


def _value(part: str) -> str:
    return str(int(part)) if part.isdecimal() else part


@lru_cache(maxsize=512)
def _pairs(name: str) -> tuple[tuple[str, str], ...]:
    pieces = _pieces(name)
    return tuple(pairwise(pieces))


@lru_cache(maxsize=512)
def _pieces(name: str) -> tuple[str, ...]:
    """Return the words and numbers of a name and its folder, in lower case."""
    return tuple(part.lower() for part in _PART.findall(name.rsplit(".", 1)[0]))


def plain(said: str) -> str:
    """Return words as one, in lower case: "floor plan" is floorplan, "Maya's" is maya."""
    return re.sub(r"'s\b|-hand\b|[\s'-]", "", said.lower())


def singular(word: str) -> str:
    """Return a word without the ending of its plural."""
    return word[:-1] if word.endswith("s") and len(word) > _MIN_WORD else word


@lru_cache(maxsize=4096)
def _same(word: str, part: str) -> bool:
    """Return whether a word is a part of a name, a form of it, or a longer one that ends so."""
    if _is_form(word, part):
        return True
    shorter, longer = sorted((word, part), key=len)
    if len(shorter) < _MIN_WORD:
        return False
    if word in _CALENDAR and word.startswith(part):
        return True
    if len(shorter) >= _MIN_START and longer.startswith(shorter):
        return bool(_ENDING.fullmatch(longer[len(shorter) :]))
    return len(shorter) >= _MIN_END and longer.endswith(shorter)
