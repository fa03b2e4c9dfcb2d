"""Finds every quantity that a text mentions: counts, shares, times, sizes and vague amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from edgewright.agents.fl_coder.constraints.clock import read_clock
from edgewright.agents.fl_coder.constraints.nouns import counted
from edgewright.agents.fl_coder.constraints.numbers import (
    Number,
    Token,
    numbers_of,
    ordinal_of,
    tokens_of,
)
from edgewright.agents.fl_coder.constraints.places import Place, place_of, place_of_match
from edgewright.agents.fl_coder.constraints.units import BYTES, SECONDS, with_unit

#: What a quantity is measured in: a bare number, a share of something, seconds, bytes, a position
#: in a row, or an amount that the words leave open.
Measure = Literal["number", "share", "seconds", "bytes", "ordinal", "vague"]
#: What a quantity must not reach, must reach, or is exceeded by.
Bound = Literal["", "under", "least", "above"]

_ORDINAL = re.compile(
    r"\b(?:\d{1,3}(?:st|nd|rd|th)|[a-z]+(?:-[a-z]+)?)(?=\s+(?:\w+\s+)?round\b)", re.I
)
_VAGUE = re.compile(
    r"\b(?:(?:only\s+|quite\s+)?an?\s+(?:\w+\s+)?(?:few|number|handful|minority|majority|fraction|"
    r"part|portion|bunch|lot)|any\s+number|some|few|several|(?<!how )many|multiple|various|handful|"
    r"(?<!at )(?<!the )(?<!very )most|dozens|hundreds|thousands)\b",
    re.IGNORECASE,
)
_BOUNDS: tuple[tuple[Bound, re.Pattern[str]], ...] = (
    (
        "least",
        re.compile(r"\b(?:at\s+(?:the\s+)?(?:very\s+)?least|at\s+minimum|minimum(?:\s+of)?|"
                   r"(?:no|not)\s+(?:fewer|less)\s+than)\s+$", re.I),
    ),
    (
        "under",
        re.compile(r"\b(?:(?<!no )(?<!not )(?<!never )(?:fewer|less|smaller|lower)\s+than|under|"
                   r"below)\s+(?:a\s+)?$", re.I),
    ),
    (
        "above",
        re.compile(r"\b(?:(?<!no )(?<!not )(?<!never )more\s+than|over|above)\s+$", re.I),
    ),
)  # fmt: skip
_OR_MORE = re.compile(
    r"^\s*(?:\w+\s+)?(?:or\s+(?:even\s+)?more|at\s+(?:the\s+)?(?:very\s+)?least|minimum)\b", re.I
)
#: What comes before a number that is not the quantity: "none of the 3 clinics", "ln 3".
_NOT_COUNTED = re.compile(
    r"\b(?:(?:none|neither|not\s+one)\s+of\s+(?:the\s+|our\s+|these\s+|those\s+)?|(?:ln|log|sqrt)\s*\(?)$"
    r"|√$",
    re.IGNORECASE,
)
_JOINS = (["in"], ["out", "of"], ["per"], ["for", "every"])


@dataclass(frozen=True)
class Mention:
    """A quantity in a sentence.

    Attributes:
        place: Where it stands, with its unit.
        measure: What it is measured in.
        low: The value in the base unit, or the lower end of a range; a share is 0 to 1.
        high: The value, or the upper end of a range.
        of: The whole of "two out of twenty"; 0 if there is none.
        bound: How the words beside it bound something by it.
    """

    place: Place
    measure: Measure
    low: float
    high: float
    of: float = 0.0
    bound: Bound = ""

    @property
    def is_share(self) -> bool:
        """Whether it is a share of something: a half, 20 %, 0.2 or two out of ten."""
        return self.measure == "share" or (
            self.measure == "number" and (self.of > 0 or 0 < self.high < 1)
        )

    @property
    def alone(self) -> Mention:
        """The same quantity, in a sentence that is only its clause."""
        clause = self.place.clause
        start = self.place.sentence.index(clause, max(0, self.place.end - len(clause)))
        place = Place(clause, self.place.start - start, self.place.end - start)
        return replace(self, place=place)

    @property
    def share(self) -> tuple[float, float]:
        """The ends of its share of a whole: those of "two out of twenty" are 0.1."""
        return (self.low / self.of, self.high / self.of) if self.of else (self.low, self.high)


def find_mentions(sentence: str) -> tuple[Mention, ...]:
    """Find the quantities that a sentence mentions, from left to right, none inside another."""
    found: list[Mention] = []
    for mention in _all(sentence):
        if not any(mention.place.overlaps(each.place) for each in found):
            found.append(mention)
    return tuple(sorted(found, key=lambda each: each.place.start))


def _all(sentence: str) -> Iterator[Mention]:
    """Yield what may be a quantity; of two that overlap, the first counts."""
    if clock := read_clock(sentence):
        seconds, places = clock
        yield Mention(Place(sentence, places[0].start, places[-1].end), "seconds", seconds, seconds)
    for match in _ORDINAL.finditer(sentence):
        if position := ordinal_of(match[0]):
            yield Mention(place_of_match(match), "ordinal", position, position)
    tokens = tokens_of(sentence)
    numbers = numbers_of(tokens)
    for number in numbers:
        if _NOT_COUNTED.search(sentence[: tokens[number.first].start]):
            continue
        measured = with_unit(tokens, number, SECONDS) or with_unit(tokens, number, BYTES)
        if measured or not number.article:
            yield _mention(sentence, tokens, number, numbers)
    for match in _VAGUE.finditer(sentence):
        yield Mention(place_of_match(match), "vague", 0.0, 0.0)


def _mention(sentence: str, tokens: list[Token], number: Number, numbers: list[Number]) -> Mention:
    for measure, units in _UNITS:
        if found := with_unit(tokens, number, units):
            value, after = found
            place = place_of(sentence, tokens, number, after)
            high = value * number.high / number.low if number.low else value
            return Mention(place, measure, value, high, 0.0, _bound(place))
    whole, after = _whole(tokens, number, numbers)
    place = place_of(sentence, tokens, number, after)
    return Mention(
        place, "share" if number.share else "number", number.low, number.high, whole, _bound(place)
    )


def _whole(tokens: list[Token], number: Number, numbers: list[Number]) -> tuple[float, int]:
    """Return the whole of a number, and the token after it: "one client in five"."""
    if number.of or number.share:
        return number.of, number.after
    for whole in numbers:
        between = [token.text for token in tokens[number.after : whole.first]]
        joined = any(between[-len(each) :] == each for each in _JOINS)
        if not (joined and len(between) <= _FAR and whole.high > number.high >= 1):
            continue
        if whole.share or whole.of or "," in between:
            continue
        follows = [token.text for token in tokens[whole.after : whole.after + 3]]
        if whole.high in _HUNDREDS or not counted(follows):
            return whole.high, whole.after
    return 0.0, number.after


def _bound(place: Place) -> Bound:
    before, after = place.sentence[: place.start], place.sentence[place.end :]
    for bound, pattern in _BOUNDS:
        if pattern.search(before):
            return bound
    return "least" if _OR_MORE.search(after) else ""


_UNITS: tuple[tuple[Measure, dict[str, float]], ...] = (("seconds", SECONDS), ("bytes", BYTES))
#: Maximum number of words between a number and its whole.
_FAR = 6
_HUNDREDS = frozenset({100.0, 1000.0})
