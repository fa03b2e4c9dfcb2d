"""Reads numbers that are compared: "at least three", "12 or more", "under half a dozen"."""

from __future__ import annotations

import re

from edgewright.agents.planner.condition import NUMBERS, Operator

_WORDS = "|".join(sorted(NUMBERS, key=len, reverse=True))
NUMBER = rf"(?:(?:half\s+)?a\s+dozen|a\s+(?:couple|pair)(?:\s+of)?|(?:{_WORDS})\b|\d{{1,4}})"
_LEAST = (
    r"(?:at\s+(?:the\s+)?least|(?:no|not)\s+(?:fewer|less)\s+than|(?:a\s+)?minimum\s+(?:of\s+)?"
    r"|min\.?(?=\s)|reach(?:es)?|hits?|as\s+many\s+as|all(?:\s+of)?(?:\s+the)?|a\s+full|the\s+full)"
)
_MOST = (
    r"(?:at\s+(?:the\s+)?most|(?:no|not)\s+more\s+than|up\s+to|(?:a\s+)?maximum\s+(?:of\s+)?"
    r"|max\.?(?=\s))"
)
_MORE = (
    r"(?:(?:more|greater|higher|larger|bigger)\s+than|over|above"
    r"|upwards\s+of|exceeds?|exceeding|tops|goes\s+(?:over|above)|passes)"
)
_FEWER = (
    r"(?:(?:fewer|less|lower|smaller)\s+than|under|below|(?:stays"
    r"|falls|drops|is)\s+(?:under|below)|(?:falls\s+)?short\s+of)"
)
_SAME = r"(?:exactly|precisely|just|only|equal\s+to|equals)"
_AFTER = (
    r"(?:\s+(?:or|and)\s+(?P<{up}>more|over|above|up|higher)"
    r"|\s+(?:or|and)\s+(?P<{down}>fewer|less|under|below|lower))"
)


def _form(suffix: str) -> str:
    """Return the form of an amount; the suffix keeps its groups apart from another's."""
    after = _AFTER.format(up=f"up{suffix}", down=f"down{suffix}")
    return (
        rf"(?:(?:(?P<least{suffix}>{_LEAST})|(?P<most{suffix}>{_MOST})|(?P<more{suffix}>{_MORE})"
        rf"|(?P<fewer{suffix}>{_FEWER})|(?P<same{suffix}>{_SAME}))\s+(?:the\s+)?(?P<n{suffix}>{NUMBER})"
        rf"|(?P<m{suffix}>{NUMBER})(?:{after}|(?P<plus{suffix}>\s?\+)|(?P<even{suffix}>\s+exactly\b))"
        rf"|(?P<single{suffix}>(?:only|just)\s+a\s+single|a\s+single)"
        rf"|(?P<several{suffix}>several|multiple))"
    )


#: An amount, to be read with ``compared``.
AMOUNT = re.sub(r"\?P<\w+>", "?:", _form(""))
_AMOUNT = re.compile(_form(""), re.IGNORECASE)


def number_of(word: str) -> int:
    """Return the number that a word or digits stand for."""
    word = re.sub(r"\s+", " ", word.lower())
    if "couple" in word or "pair" in word:
        return 2
    if "dozen" in word:
        return 6 if word.startswith("half") else 12
    return int(word) if word.isdecimal() else NUMBERS[word]


def compared(words: str) -> tuple[Operator, int] | None:
    """Return the comparison that an amount makes; None if the words are none."""
    match = _AMOUNT.fullmatch(words.strip())
    if not match:
        return None
    if match["single"]:
        return "equals", 1
    if match["several"]:
        return "at_least", 2
    number = number_of(match["n"] or match["m"])
    if match["least"] or match["up"] or match["plus"]:
        return "at_least", number
    if match["more"]:
        return "at_least", number + 1
    if match["most"] or match["down"]:
        return "at_most", number
    if match["fewer"]:
        return "at_most", number - 1
    return "equals", number
