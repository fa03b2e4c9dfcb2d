"""Reads how many clients may be hostile."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edgewright.agents.fl_coder.constraints.nouns import OWNERS
from edgewright.agents.fl_coder.constraints.numbers import Number, Token, numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import (
    Place,
    place_of,
    place_of_match,
    sentences,
)
from edgewright.agents.fl_coder.constraints.quantities import DISMISSED

HOSTILE = re.compile(
    r"\b(?:malicious|hostile|byzantine|adversar\w*|attack(?:s|ed|ers?|ing)?|poison\w*|"
    r"compromised|hacked|evil|dishonest|traitors?|sabotag\w*|saboteurs?|tamper\w*|cheat\w*|lying|"
    r"lies?|liars?|rogue|infected|hijacked|manipulat\w*|bad\s+actors?|spoil\w*|backdoors?|"
    r"taken\s+over|corrupted|foreign\s+control|garbage|untrustworthy|crook(?:s|ed)?|dodgy|conspir\w*|"
    r"rubbish|junk|bogus|falsif\w*|(?:on\s+purpose|deliberate\w*)|dirty|"
    r"turned\s+against\s+us|ruin\w*|wreck\w*|undermin\w*|subvert\w*|collud\w*|"
    r"label[\s-]?flip\w*|flip\w*\s+(?:their\s+|the\s+)?labels)\b",
    re.IGNORECASE,
)
ATTACKERS = re.compile(
    r"attackers?|adversar(?:y|ies)|byzantines?|traitors?|saboteurs?|liars?|cheaters?|"
    r"cheats?|crooks?|hackers?|villains?|intruders?|crooked|dodgy|corrupt(?:ed)?|cheating|lying|"
    r"malicious|hostile|evil|rogue|dishonest|compromised|hacked|poisoned|adversarial|infected|bad",
    re.IGNORECASE,
)
#: Words that speak of some attackers without a number, or of an open end.
VAGUE = re.compile(
    r"\b(?:some|a\s+few|few|several|many|a\s+number\s+of|a\s+handful\s+of|multiple|various|"
    r"a\s+minority|a\s+majority|most|an\s+unknown\s+number)\b",
    re.IGNORECASE,
)
_OPEN = frozenset({"least", "over", "minimum"})
#: Words between groups of hostile clients, which count together.
_AND_OTHERS = re.compile(
    r"\b(?:plus|as\s+well\s+as|in\s+addition\s+to|and\s+another|besides)\b", re.I
)
_TOLERATED = re.compile(r"\bf\s*(?:=|<=|≤|<|is|of|set\s+to|equal\s+to)\s*(?P<count>\d+)\b")
_CORRUPTED = re.compile(r"\b(?:fraction|proportion|share|ratio)\b[^.;\d]{0,12}(?P<share>0?\.\d+)\b")
_WELL_MEANING = r"trust(?:ed|worthy)|honest|benign|faithful|well-meaning"
#: What says of a number of clients that they mean well, so that the others may not.
_HONEST = re.compile(
    rf"\b(?:{_WELL_MEANING}|faithfully|loyal|bona\s+fide|"
    r"(?:act|behave|report|train|play|participate|contribute)s?\s+honestly|honestly\s+"
    r"(?:act|behav|report|train|tak|participat|contribut|follow|send)\w*|"
    r"behav\w+\s+(?:well|properly|correctly))\b",
    re.IGNORECASE,
)
#: Attackers of another kind.
_SPORT = re.compile(
    r"\battackers?\s+(?:and|or|,)\s+(?:\w+\s+)?(?:defenders?|midfielders?|goal-?keepers?)\b",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"\b(?:none\s+of|nobody|no\s+one|no\s+(?:attackers?|client|participant|node)s?|neither|never|"
    r"without|(?:is|are|be)\s+not|(?:is|are)n't)\b",
    re.IGNORECASE,
)


#: What people do to others than the training: "neighbours cheat each other".
_AMONG_THEM = re.compile(r"\b(?:each\s+other|one\s+another)\b", re.IGNORECASE)
#: What says of all clients that they mean well; "most", "but" or a number would say it of some.
_TRUSTED = re.compile(
    r"\b(?P<owners>[a-z-]+)\s+(?:are|is)\s+(?:all\s+|entirely\s+|fully\s+)?"
    rf"(?:{_WELL_MEANING}|friendly)\b",
    re.IGNORECASE,
)
_SOME = re.compile(r"\b(?:most|but|except|apart|some|few|not|if|unless|whether)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Hostile:
    """How many clients may be hostile.

    Attributes:
        count: The largest number that the words allow; None if they give no number.
        words: The words that state it.
        places: Where the numbers that were read stand.
    """

    count: int | None
    words: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class _Count:
    """A number of clients, whether it has an open end, and where it stands."""

    clients: int
    is_open: bool
    place: Place


def read_hostile(words: str, clients: int) -> Hostile | None:
    """Read the largest number of hostile clients. Return None if it is not stated.

    Args:
        words: The phrase about hostile clients.
        clients: Number of clients.
    """
    counts = [
        count
        for sentence in sentences(words)
        for count in _counts(sentence, clients, loose=True)
        if 1 <= count.clients < clients
    ]
    if not counts:
        return None
    most = max(count.clients for count in counts)
    return Hostile(most, words, tuple(count.place for count in counts))


def find_hostile(text: str, clients: int) -> Hostile | None:
    """Find a statement about a number of hostile clients. Return None if there is none.

    Args:
        text: The person's words.
        clients: Number of clients.
    """
    found: Hostile | None = None
    places: list[Place] = []
    for sentence in sentences(text):
        if is_dismissed(sentence) or _SPORT.search(sentence):
            continue
        words = sentence.rstrip(" .;!?")
        hostile = bool(HOSTILE.search(sentence)) or bool(_TOLERATED.search(sentence))
        if not hostile and (others := _others(sentence, clients)):
            places += [each.place for each in others]
            most = max(each.clients for each in others)
            found = Hostile(max(most, (found and found.count) or 0), words)
        if not hostile or DENIED.search(sentence):
            continue
        stated = list(_counts(sentence, clients, loose=False))
        places += [each.place for each in stated]
        counts = [each.clients for each in stated]
        opened = any(each.is_open for each in stated)
        most = (sum if _AND_OTHERS.search(sentence) else max)(counts) if counts else 0
        if counts and (found is None or (found.count or 0) < most):
            found = Hostile(None if opened else most, words)
        elif not counts and found is None and _vague_owners(sentence):
            found = Hostile(None, words)
    return replace(found, places=tuple(places)) if found else None


def _others(sentence: str, clients: int) -> list[_Count]:
    """Return how many clients are left of "17 of the 20 banks are honest", if any are."""
    if not _HONEST.search(sentence) or DENIED.search(sentence):
        return []
    tokens = tokens_of(sentence)
    found = []
    for number in numbers_of(tokens):
        about = tokens[number.after : number.after + 5]
        if (number.share or number.of) and any(OWNERS.fullmatch(t.text) for t in about):
            honest = number.low if number.share else number.low / number.of
            left = clients - math.floor(honest * clients + 1e-9)
            found += [_Count(left, False, place_of(sentence, tokens, number))] if left > 0 else []
    return found


def is_dismissed(sentence: str) -> bool:
    """Return whether a sentence says that hostile clients are no matter of the training."""
    return bool(DISMISSED.search(sentence) or _AMONG_THEM.search(sentence))


def of_hostile(clause: str) -> bool:
    """Return whether a clause speaks of hostile clients, and not of players."""
    return bool(HOSTILE.search(clause)) and not _SPORT.search(clause)


def denied(sentence: str) -> bool:
    """Return whether a sentence says that something is not so."""
    return bool(DENIED.search(sentence))


def all_trusted(text: str) -> bool:
    """Return whether a text says of the clients, without exception, that they mean well."""
    for sentence in sentences(text):
        match = _TRUSTED.search(sentence)
        if match is None or not OWNERS.fullmatch(match["owners"]) or _SOME.search(sentence):
            continue
        about = tokens_of(sentence[: match.start("owners")])
        if not any(n.after >= len(about) - 3 and not n.article for n in numbers_of(about)):
            return True
    return False


def _vague_owners(sentence: str) -> bool:
    """Return whether a sentence speaks of an unstated number of hostile clients."""
    tokens = tokens_of(sentence)
    return bool(VAGUE.search(sentence)) and any(
        OWNERS.fullmatch(t.text) or ATTACKERS.fullmatch(t.text) for t in tokens
    )


def _counts(sentence: str, clients: int, *, loose: bool) -> Iterator[_Count]:
    """Yield numbers of clients in a sentence.

    Args:
        sentence: A sentence about hostile clients.
        clients: Number of clients.
        loose: Whether a number need not be next to a word for clients or attackers.
    """
    if tolerated := _TOLERATED.search(sentence):
        yield _Count(int(tolerated["count"]), False, place_of_match(tolerated))
    if corrupted := _CORRUPTED.search(sentence):
        count = math.ceil(float(corrupted["share"]) * clients - 1e-9)
        yield _Count(count, False, place_of_match(corrupted))
    tokens = tokens_of(sentence)
    numbers = [_with_whole(each, tokens) for each in numbers_of(tokens)]
    parts = [n for n in numbers if [t.text for t in tokens[n.after : n.after + 2]] in _OF_THEM]
    for number in parts or numbers:  # "ten clinics, two of them hostile"
        about = [t.text for t in tokens[number.after : number.after + 4]]
        before = [t.text for t in tokens[max(0, number.first - 3) : number.first]]
        if not _of_clients(number, about, before, loose=loose):
            continue
        if number.share or 0 < number.high < 1:  # a fifth, 0.2
            count = math.ceil(number.high * clients - 1e-9)
        elif number.of:
            count = max(int(number.high), math.ceil(number.high / number.of * clients - 1e-9))
        else:
            count = int(number.high)
        if not number.share and before[-1:] == ["than"] and before[-2:-1] != ["more"]:
            count -= 1  # fewer than four
        is_more = before[-2:] == ["more", "than"] and before[-3:-2] not in (["no"], ["not"])
        is_open = bool(_OPEN & set(before)) or is_more or about[:2] == ["or", "more"]
        total = count == clients and not number.of and not number.share
        if count >= 1 and not total:
            yield _Count(count, is_open, place_of(sentence, tokens, number))


def _with_whole(number: Number, tokens: list[Token]) -> Number:
    """Read the whole of "one client in five", which follows what is counted."""
    words = [token.text for token in tokens[number.after : number.after + 3]]
    if number.of or not words or not OWNERS.fullmatch(words[0]):
        return number
    after = 3 if words[1:] == ["out", "of"] else 2 if words[1:2] == ["in"] else 0
    whole = [each for each in numbers_of(tokens) if each.first == number.after + after]
    if not after or not whole or whole[0].share or whole[0].high <= number.high:
        return number
    return replace(number, of=whole[0].high, after=whole[0].after)


def _of_clients(number: Number, about: list[str], before: list[str], *, loose: bool) -> bool:
    """Return whether a number counts clients or attackers."""
    if before[-1:] in (["n"], ["of"]) or before[-2:] == ["n", "="]:
        return False
    nouns = [i for i, word in enumerate(about) if OWNERS.fullmatch(word)]
    hostile = [i for i, word in enumerate(about) if ATTACKERS.fullmatch(word)]
    if number.article and "except" not in before:
        near = bool(nouns and nouns[0] == 0) or bool(hostile and hostile[0] == 0)
        return near and loose
    if number.share and number.high > 0.9:
        return False
    if about[:1] and about[0] in ("accuracy", "rounds", "minutes", "hours", "seconds", "days"):
        return False
    # All except one; up to two may be malicious.
    if "except" in before or (about[:1] and about[0] in _MODALS | _RELATIVE):
        return True
    if about[1:2] and about[1] in _RELATIVE and about[0].endswith("s"):  # three shops that cheat
        return True
    if about[:1] == ["of"] and (len(about) < 2 or loose or about[1] in _REFERENCES):
        return True
    if number.of and (number.of >= 2) and (nouns or hostile or not about or loose):
        return True
    if number.of:
        return True
    return bool(nouns and nouns[0] <= 2) or bool(hostile and hostile[0] <= 1)


_OF_THEM = [["of", "them"], ["of", "these"], ["of", "those"], ["of", "whom"], ["of", "which"]]
_MODALS = frozenset({"may", "might", "could", "can", "are", "is", "were", "will"})
_RELATIVE = frozenset({"that", "who", "which"})
_REFERENCES = frozenset(
    {"the", "our", "them", "these", "those", "my", "all", "us", "clients", "their"}
)
