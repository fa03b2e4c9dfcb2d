"""Finds quantities, interfaces, numbers with units, and commands in a sentence."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from edgewright.agents.manuals.vocabulary import (
    DESIGNATION,
    INTERFACES,
    quantities,
    units,
)

_CANONICAL = {alias: unit for unit, aliases in units().items() for alias in (unit, *aliases)}
_UNIT = rf"(?:{'|'.join(map(re.escape, sorted(_CANONICAL, key=len, reverse=True)))})(?![\w/])"
_NUMBER = r"[-+\u2212\u2013]?\s?\d{1,7}(?:\.\d{1,4})?"
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?P<low_unit>{_UNIT})?\s*(?:up\s+to|to|and|…|\.{{2,3}}|~|[-\u2013\u2014\u2212])\s*"
    rf"(?P<high>{_NUMBER})\s*(?P<unit>{_UNIT})"
)
_TOLERANCE = re.compile(
    rf"(?:±|\+/-|\+-)\s*(?P<number>\d{{1,7}}(?:\.\d{{1,4}})?)\s*(?P<unit>{_UNIT})"
)
_SINGLE = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})")
_NEGATION = re.compile(r"\b(?:no|not|without|neither|nor|instead\s+of)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[,;.]")
_INTERFACES = {
    name: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
    for name, pattern in INTERFACES.items()
}
#: Names of standards, classes and sizes, which look like names of devices.
_STANDARD = re.compile(r"(?:EN|IEC|ISO|IP|PM|UTF|DIN|IEEE|USB|AA+)-?\d")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\W?[A-Z0-9])")
#: Sentences addressed to software. Manuals cannot steer a planner because drafts contain only known
#: words and numbers; this pattern merely keeps such sentences from being quoted as facts.
_COMMAND = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|bypass)\b.{0,60}
      \b(?:instruction|rule|card|prompt|tool|polic|previous|above|earlier)
    | \b(?:you\s+are|act\s+as|pretend)\b.{0,30}\b(?:assistant|planner|model|ai|agent)\b
    | \b(?:system|developer)\s+(?:prompt|message)\b
    | \b(?:assistants?|planners?|language\s+models?|llms?|ai|agents?|chatbots?)\b
      .{0,60}\b(?:must|should|shall|always|never|has\s+to|have\s+to|is\s+to|please)\b
    | \b(?:always|only|never)\s+(?:use|choose|select|plan|call|pick|answer|reply)\b
    | \b(?:run|execute)\s+(?:the\s+)?(?:command|code|script|shell)\b
    | \b(?:curl|wget|rm\s+-rf|sudo|eval)\b
    | \bevery\s+request\b | \ball\s+(?:other\s+)?requests\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Limit:
    """Numbers with a unit.

    Attributes:
        text: The normalised text, such as ``-40 to 85 °C``.
        unit: Canonical unit.
        start: Position in the sentence.
    """

    text: str
    unit: str
    start: int


def sentences(line: str) -> list[str]:
    """Split a line into sentences, without table bars and list marks at their ends."""
    return [part for each in _SENTENCE_END.split(line) if (part := each.strip(" |*-•\t"))]


def is_command(sentence: str) -> bool:
    """Return whether a sentence tries to instruct software."""
    return bool(_COMMAND.search(sentence))


def named_quantities(sentence: str) -> dict[str, int]:
    """Return the quantities in a sentence, with the position of their first mention."""
    words, names = _quantity_words()
    found: dict[str, int] = {}
    # The longest word counts: "skin temperature" is not plain "temperature" as well.
    for match in words.finditer(sentence):
        found.setdefault(names[match.lastgroup or ""], match.start())
    return found


def designations(text: str) -> list[str]:
    """Return the names of devices in a text: letters and a number, such as ``TH-20``."""
    return [
        name
        for name in DESIGNATION.findall(text)
        if not _STANDARD.match(name) and not named_interfaces(name) and not named_quantities(name)
    ]


def named_interfaces(sentence: str) -> list[str]:
    """Return the interfaces that a sentence names without negating them."""
    clauses = _clauses(sentence)
    return [
        name
        for name, pattern in _INTERFACES.items()
        if any(not _is_negated(clauses, match.start()) for match in pattern.finditer(sentence))
    ]


def _clauses(sentence: str) -> tuple[list[int], list[int]]:
    """Return the starts of the clauses, and where the first negation in each of them ends."""
    starts = [0, *(match.end() for match in _CLAUSE_END.finditer(sentence))]
    negations = [len(sentence)] * len(starts)
    for match in _NEGATION.finditer(sentence):
        clause = bisect_right(starts, match.start()) - 1
        negations[clause] = min(negations[clause], match.end())
    return starts, negations


def _is_negated(clauses: tuple[list[int], list[int]], position: int) -> bool:
    starts, negations = clauses
    return negations[bisect_right(starts, position) - 1] <= position


def ranges(sentence: str) -> list[Limit]:
    """Return the ranges in a sentence, such as ``-40 to 85 °C`` or ``20 Hz to 20 kHz``."""
    found = []
    for match in _RANGE.finditer(sentence):
        unit = _CANONICAL[match["unit"]]
        low_unit = _CANONICAL[match["low_unit"] or match["unit"]]
        low = _number(match["low"]) + (f" {low_unit}" if low_unit != unit else "")
        found.append(Limit(f"{low} to {_number(match['high'])} {unit}", unit, match.start()))
    return found


def tolerances(sentence: str) -> list[Limit]:
    """Return the tolerances in a sentence, such as ``±0.3 °C``."""
    return [
        Limit(f"±{_number(m['number'])} {unit}", unit, m.start())
        for m in _TOLERANCE.finditer(sentence)
        if (unit := _CANONICAL[m["unit"]])
    ]


def limits(sentence: str) -> list[Limit]:
    """Return all ranges, tolerances and single values in a sentence."""
    return [*ranges(sentence), *tolerances(sentence), *measures(sentence)]


def measures(sentence: str) -> list[Limit]:
    """Return the single numbers with a unit in a sentence."""
    return [
        Limit(f"{_number(m['number'])} {unit}", unit, m.start())
        for m in _SINGLE.finditer(sentence)
        if (unit := _CANONICAL[m["unit"]])
    ]


def _number(text: str) -> str:
    return re.sub(r"[\u2212\u2013]", "-", text).replace(" ", "").removeprefix("+")


@cache
def _quantity_words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return one pattern for all words, the longest first, and the quantity of each group in it."""
    words = [(word, quantity.name) for quantity in quantities().values() for word in quantity.words]
    words.sort(key=lambda pair: len(pair[0]), reverse=True)
    alternatives = "|".join(
        f"(?P<w{index}>{re.escape(word)})" for index, (word, _) in enumerate(words)
    )
    pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)
    return pattern, {f"w{index}": name for index, (_, name) in enumerate(words)}
