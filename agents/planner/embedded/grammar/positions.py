"""Reads the numbers that words for positions give: "the 2nd and 4th", "numbers 3 to 5"."""

from __future__ import annotations

import re

from edgewright.agents.planner.condition import NUMBERS
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words

#: Highest number that is read as a position; a higher one is a label of the person's own.
MAX_POSITION = 20

_UNITS = re.compile(rf"{any_of('from_end', 'ordinal', 'last_word', 'first_word')}", re.IGNORECASE)
_NUMERALS = re.compile(rf"{any_of('number')}\b|\bto\b|\bthrough\b|[-\u2013]", re.IGNORECASE)
_ORDER = {word: n for n, word in enumerate(words("ordinal")[:12], start=1)}


def ordinals(text: str) -> tuple[int, ...]:
    """Return positions, with ranges filled in unless they count from the end."""
    numbers: list[int] = []
    end = 0
    for match in _UNITS.finditer(text):
        value = position(match[0])
        between = text[end : match.start()].split()
        ranged = numbers and {"to", "through", "thru"} & set(between) and 0 < numbers[-1] < value
        numbers += range(numbers[-1] + 1, value + 1) if ranged else [value]
        end = match.end()
    return tuple(numbers[: MAX_POSITION + 1])


def position(word: str) -> int:
    """Return the position that an ordinal names; negative from the end."""
    word = word.lower()
    if word in ("old", "earlier", "previous", "new"):
        return -1 if word == "new" else -2
    if re.fullmatch(any_of("from_end"), word):
        return -3 if re.match(r"ante|third|next but|.*two$", word) else -2
    if word in words("last_word"):
        return -1
    if word in words("first_word"):
        return 1
    return _ORDER.get(word) or int(re.sub(r"\D", "", word))


def numerals(text: str) -> tuple[int, ...]:
    """Return numbers, with ranges filled in."""
    numbers: list[int] = []
    ranged = False
    for match in _NUMERALS.finditer(text):
        if match[0].lower() in ("to", "through", "-", "\u2013"):
            ranged = True
            continue
        value = number_of(match[0])
        numbers += range(numbers[-1] + 1, value + 1) if ranged and numbers else [value]
        ranged = False
    return tuple(numbers[: MAX_POSITION + 1])


def number_of(word: str) -> int:
    """Return the number that a word or digits stand for; 2 for a couple or a pair."""
    word = word.lower()
    if word.isdecimal():
        return int(word)
    return NUMBERS.get(word, 2)  # a couple or a pair
