"""Reads an accuracy from how many errors are bearable: "at most four mistakes in a hundred"."""

from __future__ import annotations

import re

from edgewright.agents.fl_coder.constraints.numbers import numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import Place, place_of_match

_ERRORS = re.compile(
    r"\b(?P<count>[\w.]+)\s+(?:wrong\s+\w+|errors?|mistakes?|misclassif\w+)\s+(?:in|per|out\s+of|for)\s+"
    r"(?:an?\s+|one\s+|every\s+)?(?P<whole>hundred|thousand|\d+)\b",
    re.IGNORECASE,
)
_WHOLES = {"hundred": 100.0, "thousand": 1000.0}
_BOUND = re.compile(
    r"\b(?:at\s+most|more\s+than|fewer\s+than|less\s+than|up\s+to|maximum|tolera\w*|accept\w*)\b",
    re.IGNORECASE,
)


def read_error_share(sentence: str) -> tuple[float, Place] | None:
    """Return the accuracy that bounded errors leave, 0 to 1, and where they are named."""
    errors = _ERRORS.search(sentence)
    if errors is None or not _BOUND.search(sentence):
        return None
    count = numbers_of(tokens_of(errors["count"]))
    whole = _WHOLES.get(errors["whole"].lower()) or float(errors["whole"])
    if not count or not 0 < count[0].low < whole:
        return None
    return 1 - count[0].low / whole, place_of_match(errors)
