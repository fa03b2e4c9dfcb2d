"""Reads how many owners the data have."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.denials import DENIED
from edgewright.agents.fl_coder.constraints.hostile import (
    ATTACKERS,
    HOSTILE,
    VAGUE,
)
from edgewright.agents.fl_coder.constraints.nouns import OWNERS, counted, may_own_data
from edgewright.agents.fl_coder.constraints.numbers import numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import Place, place_of, sentences

#: Numbers of owners that an unknown noun may count: "two experts checked" is none of them.
_SEVERAL = range(3, 1001)


@dataclass(frozen=True)
class Owners:
    """How many owners the data have, and where the words say it."""

    count: int
    place: Place


def read_owners(text: str) -> Owners | None:
    """Read how many owners the data have. Return None if the text does not say.

    Numbers of hostile clients are not meant, but "2 out of 20" says that there are 20. Where no
    usual word for a client is counted, the first thing that is counted and may own data counts:
    "thirteen retailers".
    """
    return _named(text) or _counted(text)


def _named(text: str) -> Owners | None:
    """Read a number of what clients are usually called."""
    for sentence in sentences(text):
        hostile = bool(HOSTILE.search(sentence))
        tokens = tokens_of(sentence)
        numbers = [n for n in numbers_of(tokens) if not n.share and not n.article]
        for number in numbers:
            about = [token.text for token in tokens[number.after : number.after + 3]]
            nouns = [i for i, word in enumerate(about) if OWNERS.fullmatch(word)]
            place = place_of(sentence, tokens, number)
            if number.of and (nouns or hostile):
                return Owners(int(number.of), place)
            qualified = any(ATTACKERS.fullmatch(word) for word in about[: (nouns or [0])[0]])
            alone = len(numbers) == 1 and hostile and not VAGUE.search(sentence)
            if (
                nouns
                and number.low > 1
                and not qualified
                and not (alone and not DENIED.search(sentence))
            ):
                return Owners(int(number.low), place)
    return None


def _counted(text: str) -> Owners | None:
    """Read the first number of something that may own data."""
    for sentence in sentences(text):
        if HOSTILE.search(sentence):
            continue
        tokens = tokens_of(sentence)
        for number in numbers_of(tokens):
            count = number.of or number.low
            following = [token.text for token in tokens[number.after : number.after + 7]]
            owners = may_own_data(counted(following)) or following[:2] == ["of", "them"]
            fits = not number.share and number.low == number.high and count == int(count)
            if fits and count in _SEVERAL and owners:
                return Owners(int(count), place_of(sentence, tokens, number))
    return None
