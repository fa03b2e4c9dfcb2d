"""Reads numbers from a person's words: a privacy budget, and the number of hostile clients."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d+(?:\.\d+)?"
_TINY = r"(?:\d+(?:\.\d+)?e-\d+|10\s*\^\s*-\s*\d+|0?\.0\d+)"
#: Words between the name of a quantity and its number: "must never be larger than".
_LINK = (
    r"\s*(?:(?:\b(?:of|is|be|at|to|the|a|an|value|must|may|should|shall|can|cannot|could|will|not"
    r"|never|no|stay|stays|remain|remains|kept|exceed|exceeds|rise|go|equal|equals|limited|capped"
    r"|bounded|by|above|over|beyond|more|greater|larger|higher|most|below|under|less|smaller|lower"
    r"|than|up|maximum|about)\b|=|:|≤|<=|<)\s*){0,8}"
)
_EPSILON = re.compile(
    rf"(?:epsilon|\bepsilons?|ε|\beps|privacy\s+(?:loss|budget)){_LINK}(?P<value>{_NUMBER})",
    re.IGNORECASE,
)
_DELTA = re.compile(rf"(?:delta|δ){_LINK}(?P<value>{_TINY})", re.IGNORECASE)
_PAIR = re.compile(rf"\(\s*(?P<epsilon>{_NUMBER})\s*,\s*(?P<delta>{_TINY})\s*\)", re.IGNORECASE)

_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
#: Numbers that are written as words, by value.
NUMBERS = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
_COUNT = rf"(?P<count>\d+|{'|'.join(NUMBERS)}|a|an)"
_HOSTILE = re.compile(
    rf"\b{_COUNT}\s+(?:or\s+(?:more\s+|{'|'.join(NUMBERS)}\s+)?)?(?:of\s+(?:the|our|them|these|those|\w+)\b"
    r"|(?:clients?|devices?|partners?|participants?|members?|sites?|phones?|nodes?|parties|party)\b)",
    re.IGNORECASE,
)
#: Notation of the literature on Byzantine clients.
_TOLERATED = re.compile(r"\bf\s*(?:=|<=|≤|is|of)\s*(?P<count>\d+)\b")
_SHARE = re.compile(rf"(?P<share>{_NUMBER})\s*(?:%|per\s?cent|percent)", re.IGNORECASE)


@dataclass(frozen=True)
class PrivacyBudget:
    """A stated privacy budget.

    Attributes:
        epsilon: Maximum privacy loss; None if not stated.
        delta: Probability of exceeding it; None if not stated.
        words: The words that state the budget.
    """

    epsilon: float | None
    delta: float | None
    words: str


def read_budget(text: str) -> PrivacyBudget | None:
    """Read a privacy budget. Return None if the text gives no number for one."""
    text = " ".join(text.split())
    pair = _PAIR.search(text)
    if pair:
        return PrivacyBudget(float(pair["epsilon"]), _tiny(pair["delta"]), pair[0])
    epsilon, delta = _EPSILON.search(text), _DELTA.search(text)
    if epsilon is None and delta is None:
        return None
    words = ", ".join(found[0] for found in (epsilon, delta) if found)
    return PrivacyBudget(
        epsilon=float(epsilon["value"]) if epsilon else None,
        delta=_tiny(delta["value"]) if delta else None,
        words=words,
    )


def read_hostile(words: str, clients: int) -> int | None:
    """Read the number of hostile clients. Return None if it is not stated.

    Args:
        words: The phrase about hostile clients.
        clients: Number of clients.
    """
    words = " ".join(words.split())
    numbers: list[int] = []
    if share := _SHARE.search(words):
        numbers.append(max(1, round(clients * float(share["share"]) / 100)))
    if count := _TOLERATED.search(words) or _HOSTILE.search(words):
        numbers.append(number_of(count["count"]))
    return next((number for number in numbers if 1 <= number < clients), None)


def number_of(word: str) -> int:
    """Return the number that digits, a number word or an article stand for."""
    return int(word) if word.isdigit() else NUMBERS.get(word.lower(), 1)


def _tiny(text: str) -> float:
    power = re.fullmatch(r"10\s*\^\s*-\s*(\d+)", text)
    return 10.0 ** -int(power[1]) if power else float(text)
