"""Reads limits on training from a person's words: rounds, time, bytes, accuracy and memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from edgewright.agents.fl_coder.constraints.clock import read_clock
from edgewright.agents.fl_coder.constraints.error_share import read_error_share
from edgewright.agents.fl_coder.constraints.last_round import last_round
from edgewright.agents.fl_coder.constraints.nouns import OWNERS
from edgewright.agents.fl_coder.constraints.numbers import (
    Number,
    Token,
    numbers_of,
    tokens_of,
)
from edgewright.agents.fl_coder.constraints.places import Place, place_of, sentences
from edgewright.agents.fl_coder.constraints.units import BYTES, SECONDS, with_unit

Quantity = Literal["rounds", "seconds", "bytes", "total_bytes", "accuracy", "memory"]

_HOURS = frozenset({"hour", "hours", "hr", "hrs", "h"})
#: What the time of training is spoken of with, and what makes it a time of something else.
_TRAINING_TIME = re.compile(
    r"\b(?:train\w*|finish\w*|done|ready|complet\w*|deadline|limit\w*|budget|you\s+have|model|"
    r"only\s+have|(?:we|you|i|they)\s+have|(?:we|you|i|they)(?:'ve|\s+have)\s+(?:only\s+|just\s+)?got|"
    r"spare|occup(?:y|ies)|(?:the|this|our)\s+(?:job|jobs?|cluster|machines?)\s+(?:may|must|can|should)|results?|give\s+up|stop\w*|halt\w*|quit\w*|reach\w*|give\s+(?:it|yourself|the\s+whole)|whole\s+thing|through|"
    r"wrap\w*\s+(?:\w+\s+)?up|over\s+(?:by|within|in|after)|at\s+the\s+(?:longest|latest)|(?:it|this|all|everything|the\s+run)\s+(?:may|must|"
    r"should)\s+(?:not\s+)?(?:run|take|last)|run\s+for)\b",
    re.IGNORECASE,
)
_OTHER_TIME = re.compile(
    r"\b(?:ago|later|old|apart|every|each|per|recording|recorded|video|clips?|inference|predict\w*|"
    r"answer|latency|classif(?:y|ies)|last(?:s|ed)?)\b",
    re.IGNORECASE,
)
_OF_TRAINING = re.compile(
    r"\btraining\s+(?:may|can|must|should|has|takes?|time|needs?|is|gets)\b", re.IGNORECASE
)
_SENDING = re.compile(
    r"\b(?:up-?loads?|up-?link|updates?|rounds?|send|sends|sent|transmit\w*|messages?|radio|"
    r"traffic|communicat\w*|bandwidth|transfer\w*|satellite|cellular|link)\b",
    re.IGNORECASE,
)
#: What makes a number of bytes that of the whole training.
_IN_ALL = re.compile(
    r"\b(?:all\s+in\s+all|in\s+all|in\s+total|total(?:s|ling)?|altogether|overall|all\s+told|in\s+sum|"
    r"(?:whole|entire|complete)\s+(?:of\s+(?:the\s+)?)?(?:training|run|job|process)|"
    r"training\s+(?:can(?:not|'t)?|may|must|should)\s+(?:not\s+)?(?:use|send|cost|transfer)|"
    r"(?:data|traffic)\s+(?:plan|allowance|contract|quota)|contract\s+(?:gives?|allows?|covers?)|"
    r"from\s+start\s+to\s+(?:finish|end)|over\s+all\s+(?:the\s+)?rounds|all\s+rounds\s+together)\b",
    re.IGNORECASE,
)
_A_ROUND = re.compile(
    r"\b(?:per|a|each|every|any|one|single)\s+(?:\w+\s+)?round\b|/\s*round\b", re.I
)
_MEMORY = re.compile(
    r"\b(?:(?:fetch|download)\w*\s+the\s+(?:\w+\s+)?model|ram|memory|flash|sram|to\s+work\s+with|firmware|for\s+the\s+(?:model|network|weights)|[gm]hz|micro-?controllers?|mcus?|chips?|fits?\s+(?:in|into)|"
    r"embedded\s+devices?|(?:model|network|net|weights?)(?:\s+file)?\s+(?:\w+\s+){0,3}(?:weighs?|"
    r"occup(?:y|ies)|takes?(?:\s+up)?|be|have|has|exceeds?|stays?|remains?|larger|bigger|of\s+at\s+most)"
    r"|(?:model|network|weights?)\s+(?:size|under|below))\b",
    re.IGNORECASE,
)
#: Words that only bound a quantity, and name none.
_BOUNDING_WORDS = (
    "at most no not more longer than within in under below less up to about only max maximum tops "
    "please , . !"
)
_BOUNDING = frozenset(_BOUNDING_WORDS.split())
#: What a model consists of, each in four bytes.
_WEIGHTS = frozenset({"parameter", "parameters", "weights"})
#: Words between a number and "rounds".
_KINDS_OF_ROUNDS_WORDS = (
    "- communication training global federated federation aggregation short full learning"
)
_KINDS_OF_ROUNDS = frozenset(_KINDS_OF_ROUNDS_WORDS.split())
#: Rates, and totals over another time than a round.
_RATE = frozenset({"s", "second", "sec", "month", "day", "week", "hour", "year", "minute"})
_GOAL = re.compile(
    r"\b(?:stop\w*|quit\w*|hits?|accura\w*|right|correct\w*|enough|target|goal|reach\w*)\b",
    re.IGNORECASE,
)
#: What a round does once.
_EXCHANGING = re.compile(
    r"\b(?:averag\w*|aggregat\w*|exchang\w*|synchroni[sz]\w*|communicat\w*|merg\w*)\b", re.I
)
#: Errors that must become rare, the rest of which is the accuracy.
_ERRORS = re.compile(
    r"\b(?:misclassif\w*|mistakes?|errors?(?:\s+rate)?|wrongly)\b(?!\s+labels?)", re.I
)
_DOWN = re.compile(
    r"\b(?:until|down\s+to|below|under|at\s+most|no\s+more\s+than|less\s+than|fewer\s+than)\b", re.I
)
#: What others achieve, or an earlier training did, unless something is demanded.
_OF_OTHERS = re.compile(
    r"\b(?:predecessor|colleague|competitor|rival|paper|article|thesis|literature|textbook)s?\b"
    r"[^.;]{0,30}\b(?:reach\w*|g[eo]ts?|used?|uses|achiev\w*|scor\w*|report\w*|claim\w*|trained)\b"
    r"|\blast\s+(?:year|month|week|time|spring|summer|autumn|fall|winter)\b|\bpreviously\b"
    r"|\bin\s+the\s+past\b|\b(?:earlier|previous)\s+(?:run|study|pilot|attempt|training)\b"
    r"|\b(?:dermatologists?|radiologists?|pathologists?|physicians?|doctors?|experts?|specialists?|"
    r"humans?)\s+(?:gets?|reach\w*|achieves?|scores?|manages?)\b",
    re.IGNORECASE,
)
_DEMANDED = re.compile(
    r"\b(?:must|should|shall|may|can|have\s+to|has\s+to|need\w*\s+to|within|at\s+most|at\s+least|no\s+more|"
    r"stop\w*|finish\w*|end|target|limit\w*|again|same|like|as\s+good|match\w*|beat\w*|better\s+than|also|"
    r"too)\b",
    re.IGNORECASE,
)
_NOT_DEMANDED = re.compile(
    r"\b(?:not|n't|never)\s+(?:be\s+)?(?:ask\w*|need\w*|expect\w*|demand\w*|requir\w*)\b"
    r"|\bno\s+need\b|\b(?:needn't|do(?:es)?(?:n't|\s+not)\s+(?:have|need)\s+to)\b",
    re.IGNORECASE,
)
#: Images that a model gets right, which is its accuracy.
_RECOGNISED = re.compile(
    r"\b(?:classif\w+|recogni[sz]\w+|identif\w+|sort\w+|predict\w*|read|got|gets?|told\s+apart)"
    r"\s+(?:\w+\s+)?(?:correct\w*|right\w*|properly)|\b(?:correctly|rightly|properly)\s+(?:classif"
    r"|recogni[sz]|identif|sort|predict|read)\w*",
    re.IGNORECASE,
)
_BETWEEN_ACCURACY_WORDS = (
    "of is be must should has have to a an the at least no not worse less lower than below under "
    "fall never always drop goes get reach reaches exceed above over more or around about minimum "
    ": = ≥ > want hit hits target goal"
)
_BETWEEN_ACCURACY = frozenset(_BETWEEN_ACCURACY_WORDS.split())
_OTHER_SHARE = re.compile(
    r"\b(?:recall|precision|sensitivity|specificity|f1|labels?|mislabel\w*|wrong|noise|noisy|"
    r"clients?|participants?|byzantine|malicious|attack\w*)\b",
    re.IGNORECASE,
)
#: Maximum number of words beside a number that is all of a sentence.
_FEW = 4
#: Maximum number of words of a clause that is only a number: "the accuracy must be high, 90 %".
_BARE = 3
_DATA = re.compile(r"\b(?:data|pictures?|photos?|images?|scans?|samples?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class StatedLimit:
    """A limit that a person stated.

    Attributes:
        quantity: ``rounds``; ``seconds`` of training; ``bytes`` that a client sends in a round;
            ``total_bytes`` that it sends in all rounds; ``accuracy`` that is enough, 0 to 1;
            ``memory`` of a device, in bytes.
        value: The limit; of several values, the strictest.
        words: The words that state it.
        places: Where each of its values stands.
    """

    quantity: Quantity
    value: float
    words: str
    places: tuple[Place, ...] = ()


def read_limits(text: str) -> tuple[StatedLimit, ...]:
    """Read the limits in a text, each quantity at most once."""
    found: dict[Quantity, StatedLimit] = {}
    for sentence in sentences(text):
        if of_others(sentence):
            continue
        for limit in _stated(sentence):
            found[limit.quantity] = _stricter(limit, found.get(limit.quantity))
    return tuple(found.values())


def of_others(sentence: str) -> bool:
    """Return whether a sentence says what others achieve, or an earlier training did."""
    if not _OF_OTHERS.search(sentence):
        return False
    return bool(_NOT_DEMANDED.search(sentence)) or not _DEMANDED.search(sentence)


def _stricter(limit: StatedLimit, earlier: StatedLimit | None) -> StatedLimit:
    """Return the stricter of two limits, with the places of both."""
    if earlier is None:
        return limit
    sign = -1 if limit.quantity == "accuracy" else 1
    kept = limit if sign * limit.value < sign * earlier.value else earlier
    return replace(kept, places=(*earlier.places, *limit.places))


def _stated(sentence: str) -> Iterator[StatedLimit]:
    """Yield the limits in a sentence."""
    words = sentence.strip(" .;!?")
    if last := last_round(sentence):
        yield StatedLimit("rounds", last[0], words, (last[1],))
    if errors := read_error_share(sentence):
        yield StatedLimit("accuracy", errors[0], words, (errors[1],))
    if (lasting := read_clock(sentence)) and _TRAINING_TIME.search(sentence):
        yield StatedLimit("seconds", lasting[0], words, lasting[1])
    tokens = tokens_of(sentence)
    for number in numbers_of(tokens):
        for quantity, read in _READERS.items():
            value = read(sentence, tokens, number)
            if value is not None and value > 0:
                unit = with_unit(tokens, number, SECONDS) or with_unit(tokens, number, BYTES)
                place = place_of(sentence, tokens, number, unit[1] if unit else None)
                yield StatedLimit(quantity, value, words, (place,))
                break


def _seconds(sentence: str, tokens: list[Token], number: Number) -> float | None:
    found = with_unit(tokens, number, SECONDS)
    before = [token.text for token in tokens[max(0, number.first - 2) : number.first]]
    if found is None or _HOURS.intersection(before[-1:] if before[-1:] != ["and"] else before):
        return None  # the minutes of "1 hour and 30 minutes" are read with the hour
    others = [token.text for token in (*tokens[: number.first], *tokens[found[1] :])]
    bare = len(others) <= 1 or _BOUNDING.issuperset(others)  # "no longer than ten minutes"
    other = _OTHER_TIME.search(sentence) and not _OF_TRAINING.search(sentence)
    if other or not (bare or _TRAINING_TIME.search(sentence)):
        return None
    return None if _is_least(tokens, number) else found[0]


def _rounds(sentence: str, tokens: list[Token], number: Number) -> float | None:
    after = [token.text for token in tokens[number.after : number.after + 3]]
    named = [i for i, word in enumerate(after) if word in ("round", "rounds")]
    if after[:1] == ["times"] and _EXCHANGING.search(sentence):
        named = [0]
    if not named or number.share or number.article or _is_least(tokens, number):
        return None
    if not set(after[: named[0]]) <= _KINDS_OF_ROUNDS:
        return None
    before = [token.text for token in tokens[max(0, number.first - 3) : number.first]]
    value = number.low if number.low == number.high else number.high
    if (
        before[-1:] == ["under"]
        or before[-1:] == ["below"]
        or (
            before[-1:] == ["than"]
            and before[-2:-1] in (["fewer"], ["less"])
            and before[-3:-2] not in (["no"], ["not"])
        )
    ):
        value -= 1
    if value == 1 and not {"most", "only", "than", "one"} & set(before[-2:]):
        return None  # "sending a single round takes all night" is no limit
    return math.floor(value) or None


def _bytes(sentence: str, tokens: list[Token], number: Number) -> float | None:
    found = with_unit(tokens, number, BYTES)
    if found is None or _is_rate(tokens, found[1]) or _is_least(tokens, number):
        return None
    if _MEMORY.search(sentence) and not _SENDING.search(sentence):
        return None
    if _IN_ALL.search(sentence) and not _A_ROUND.search(sentence):
        return None  # that of all rounds
    whole = len(tokens) - (found[1] - number.first) <= _FEW  # "at most 20 kilobytes"
    return found[0] if whole or _SENDING.search(sentence) else None


def _total_bytes(sentence: str, tokens: list[Token], number: Number) -> float | None:
    found = with_unit(tokens, number, BYTES)
    if found is None or _is_rate(tokens, found[1]) or _is_least(tokens, number):
        return None
    in_all = _IN_ALL.search(sentence) and not _A_ROUND.search(sentence)
    whole = len(tokens) - (found[1] - number.first) <= _FEW  # "1 MB overall"
    return found[0] if in_all and (whole or _SENDING.search(sentence)) else None


def _memory(sentence: str, tokens: list[Token], number: Number) -> float | None:
    if _WEIGHTS.intersection(token.text for token in tokens[number.after : number.after + 2]):
        return None if number.article or _is_least(tokens, number) else 4 * number.low
    found = with_unit(tokens, number, BYTES)
    if found is None or _is_rate(tokens, found[1]) or not _MEMORY.search(sentence):
        return None
    return None if _SENDING.search(sentence) else found[0]


def _accuracy(sentence: str, tokens: list[Token], number: Number) -> float | None:
    value = number.high / number.of if number.of else number.high
    if number.share and value < 0.5 and _ERRORS.search(sentence) and _DOWN.search(sentence):
        others = re.search(r"\b(?:labels?|clients?|participants?)\b", sentence, re.IGNORECASE)
        return None if others or _counts_owners(tokens, number) else 1 - value
    stated = number.share or number.of or _is_decimal_accuracy(tokens, number)
    clause = place_of(sentence, tokens, number).clause
    if not stated or not 0 < value <= 1 or _OTHER_SHARE.search(clause):
        return None
    recognised = _RECOGNISED.search(sentence)
    if (_DATA.search(clause) and not recognised) or _counts_owners(tokens, number):
        return None
    alone = len(clause.split()) <= _BARE and not _OTHER_SHARE.search(sentence)
    return value if recognised or _GOAL.search(sentence if alone else clause) else None


def _is_decimal_accuracy(tokens: list[Token], number: Number) -> bool:
    """Return whether a number is that of "the accuracy must be no worse than 0.87"."""
    names = [i for i, t in enumerate(tokens) if t.text in ("accuracy", "accurate")]
    after = [t.text for t in tokens[number.after : number.after + 1]]
    linked = any(
        {t.text for t in tokens[name + 1 : number.first]} <= _BETWEEN_ACCURACY
        for name in names
        if name < number.first
    )
    return 0.1 <= number.high < 1 and (linked or after == ["accuracy"])


def _counts_owners(tokens: list[Token], number: Number) -> bool:
    """Return whether a number is one of clients: "three of the twenty sites"."""
    about = [t.text for t in tokens[number.after : number.after + 4]]
    nouns = [word for word in about if word not in ("of", "the", "our", "all", "these", "my")]
    return bool(nouns and OWNERS.fullmatch(nouns[0]))


def _is_rate(tokens: list[Token], position: int) -> bool:
    rest = [token.text for token in tokens[position : position + 2]]
    return bool(rest) and rest[0] in ("/", "per", "a", "every") and rest[-1] in _RATE


def _is_least(tokens: list[Token], number: Number) -> bool:
    before = [token.text for token in tokens[max(0, number.first - 2) : number.first]]
    after = [token.text for token in tokens[number.after : number.after + 4]]
    least = {"minimum"} & {*before[-1:], *after[:2]} or ["at", "least"] in (before, after[1:3])
    return bool(least) or ["or", "more"] in (after[:2], after[1:3])


_READERS: dict[Quantity, Callable[[str, list[Token], Number], float | None]] = {
    "rounds": _rounds,
    "memory": _memory,
    "total_bytes": _total_bytes,
    "bytes": _bytes,
    "seconds": _seconds,
    "accuracy": _accuracy,
}
