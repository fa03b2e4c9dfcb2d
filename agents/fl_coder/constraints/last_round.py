"""Reads the last round of a training, where it is named by its number."""

from __future__ import annotations

import re

from edgewright.agents.fl_coder.constraints.numbers import numbers_of, ordinal_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import Place, place_of_match

_STOP_AFTER = re.compile(
    r"\b(?:stop\w*|end\w*|finish\w*|halt\w*|quit\w*|over|done|no\s+further)\s+(?:\w+\s+){0,2}?"
    r"(?:after|at|with|by|than)\s+(?:the\s+)?(?:round\s+(?:number\s+)?(?P<number>[\w-]+)|"
    r"(?P<ordinal>[\w-]+)\s+(?:\w+\s+)?round)\b|"
    r"\b(?:the\s+)?(?P<last>[\w-]+)\s+round\s+(?:is|must\s+be|should\s+be)\s+the\s+last\b|"
    r"\bafter\s+(?:the\s+)?(?P<after>[\w-]+)\s+round\b[^.;]*\b(?:stop\w*|end\w*|finish\w*|quit\w*|"
    r"over|done|no\s+more|pull\s+the\s+plug|switch\w*\s+off)\b",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"(?<!\ball\s)(?<!\bthe\s)\b(?:\w+_)?rounds\s*[:=]\s*(?P<rounds>\d{1,6})\b", re.I
)


def last_round(sentence: str) -> tuple[int, Place] | None:
    """Return the round of "stop after the eighth round", or of "max_rounds: 8", and its place."""
    if setting := _SETTING.search(sentence):
        return int(setting["rounds"]), place_of_match(setting)
    match = _STOP_AFTER.search(sentence)
    if match is None:
        return None
    if match["number"]:
        numbers = numbers_of(tokens_of(match["number"]))
        last = int(numbers[0].low) if numbers else None
    else:
        last = ordinal_of(match["ordinal"] or match["last"] or match["after"])
    return (last, place_of_match(match)) if last else None
