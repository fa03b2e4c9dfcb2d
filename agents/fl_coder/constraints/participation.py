"""Reads how many of the clients take part in a round."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from edgewright.agents.fl_coder.constraints.hostile import HOSTILE
from edgewright.agents.fl_coder.constraints.nouns import OWNERS
from edgewright.agents.fl_coder.constraints.numbers import Number, Token, numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import (
    Place,
    place_of,
    place_of_match,
    sentences,
)

#: What makes it a matter of each round.
_A_ROUND = re.compile(
    r"\b(?:(?:per|a|each|every|any|one|single)\s+(?:\w+\s+)?round|each\s+time|at\s+(?:a|one|any|the\s+same)\s+"
    r"(?:\w+\s+)?(?:time|moment|once)|at\s+once|simultaneously|in\s+parallel)\b",
    re.IGNORECASE,
)
_TAKING_PART = re.compile(
    r"\b(?:tak(?:e|es|ing)|participat\w*|train\w*|sampl\w*|select\w*|reach\w*|available|online|awake|"
    r"call\w*|join\w*|contribut\w*|pick\w*|cho(?:o)?s\w*|invit\w*|active|us(?:e|es|ed|ing)|involv\w*|"
    r"draw\w*|ask\w*|visit\w*|suffic\w*|enough|at\s+most|only)\b",
    re.IGNORECASE,
)
#: "Only a tenth of the clients take part" means each round.
_ONLY = re.compile(
    r"\b(?:only|just|merely|at\s+most|no\s+more\s+than)\b[^.;]*\b(?:takes?\s+part|participates?)\b",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"\b(?:offline|off-line|unreachable|unavailable|asleep|sleep(?:s|ing)?|absent|missing|"
    r"(?:not|n't|never)\s+(?:reachable|available|online|awake|take\s+part|participate|be\s+reached))\b",
    re.IGNORECASE,
)
#: What breaks off in the middle of a round, and shares of other things.
_OTHER = re.compile(
    r"\b(?:drop(?:s|ped|ping)?[\s-]?outs?|drop|crash\w*|fail\w*|bytes?|labels?|rows?|images?|pictures?)\b",
    re.IGNORECASE,
)
#: The parameter C of federated averaging (McMahan et al. 2017).
_FRACTION = re.compile(
    r"\b(?:client\s+fraction|fraction\s+of\s+clients|participation\s+(?:rate|fraction|ratio)|C)"
    r"\s*(?:C\s*)?(?:=|:|of|is)\s*(?P<share>0?\.\d+)\b"
)
#: Words that stand for clients: "50 of them", "50 sampled per round".
_CHOSEN = frozenset({"them", "sampled", "selected", "chosen", "drawn", "picked", "participating"})
_BETWEEN = frozenset(
    {"of", "the", "our", "all", "these", "those", "my", "random", "randomly", "chosen"}
)


@dataclass(frozen=True)
class StatedParticipation:
    """How many of the clients take part in a round.

    Attributes:
        clients: Number of clients in a round, at least one and fewer than all of them.
        share: Their share of all clients, above 0 and below 1.
        words: The words that state it.
        places: Where the numbers that were read stand.
    """

    clients: int
    share: float
    words: str
    places: tuple[Place, ...] = ()


def read_participation(text: str, clients: int) -> StatedParticipation | None:
    """Read how many clients take part in a round. Return None if all of them do.

    Of a range the lower end counts, of several statements the smallest.

    Args:
        text: The person's words.
        clients: Number of clients.
    """
    found: StatedParticipation | None = None
    for sentence in sentences(text):
        if fraction := _FRACTION.search(sentence):
            share = float(fraction["share"])
            taking = max(1, math.ceil(share * clients - 1e-9))
            if taking < clients:
                words, places = sentence.strip(" .;!?"), (place_of_match(fraction),)
                return StatedParticipation(taking, taking / clients, words, places)
        absent = _ABSENT.search(sentence) is not None
        said = _A_ROUND.search(sentence) and (absent or _TAKING_PART.search(sentence))
        if (
            not (said or _ONLY.search(sentence))
            or HOSTILE.search(sentence)
            or _OTHER.search(sentence)
        ):
            continue
        tokens = tokens_of(sentence)
        for number in numbers_of(tokens):
            place = place_of(sentence, tokens, number)
            away = absent and _is_absent(place.clause)
            count = _count(number, tokens, clients, absent=away)
            if count is None:
                continue
            words = sentence.strip(" .;!?")
            stated = StatedParticipation(count, count / clients, words, (place,))
            found = stated if found is None else _smaller(found, stated)
    return found


def _is_absent(clause: str) -> bool:
    """Return whether the clients that a clause counts are absent, unless it says nothing of it."""
    return bool(_ABSENT.search(clause)) or not _TAKING_PART.search(clause)


def _smaller(one: StatedParticipation, other: StatedParticipation) -> StatedParticipation:
    """Return the one with fewer clients, with the places of both."""
    fewer = min(one, other, key=lambda each: each.clients)
    return replace(fewer, places=(*one.places, *other.places))


def _count(number: Number, tokens: list[Token], clients: int, *, absent: bool) -> int | None:
    """Return how many clients a number means; None if it counts others, or all of them."""
    before = [t.text for t in tokens[max(0, number.first - 2) : number.first]]
    about = [t.text for t in tokens[number.after : number.after + 5] if t.text not in _BETWEEN]
    if before == ["at", "least"] or number.article:
        return None
    every = [t.text for t in tokens[number.first : number.first + 1]] == ["every"]
    whole = number.of == clients  # 15 of the 50 counties, which are the clients
    of_clients = bool(about[:1]) and (OWNERS.fullmatch(about[0]) or about[0] in _CHOSEN)
    of_clients = of_clients or whole or every
    if not of_clients:
        return None
    if number.share:
        share = number.low
    elif number.of:
        share = number.low / number.of
    else:
        share = number.low / clients
    if absent:
        share = 1 - share
    count = max(1, math.ceil(share * clients - 1e-9))
    return count if 0 < share < 1 and count < clients else None
