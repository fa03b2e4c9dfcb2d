"""Reads which data set a person means, and how many owners it has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.quantities import NUMBERS, number_of

#: Patterns for the named data sets.
_NAMED = (
    ("fashion-mnist", re.compile(r"\bfashion[\s-]?mnist\b", re.IGNORECASE)),
    ("elpv", re.compile(r"\belpv\b", re.IGNORECASE)),
    ("digits", re.compile(r"\bdigits?\b", re.IGNORECASE)),
)
#: A path in quotation marks, or one without spaces that has a slash or a data file's extension.
_PATH = re.compile(
    r"[\"'](?P<quoted>[^\"'\n]*[/.][^\"'\n]*)[\"']"
    r"|(?<!\S)(?P<bare>(?:~|\.{0,2})/[^\s,;]+|[^\s,;]+(?:\.npz\b|/(?!\S)))"
)
_OWNERS = re.compile(
    rf"\b(?P<number>\d{{1,3}}|{'|'.join(NUMBERS)})\s+(?:[a-z-]+\s+)?"
    r"(?:clients?|clinics?|hospitals?|schools?|shops?|stores?|sites?|devices?|phones?|partners?|"
    r"owners?|companies|branches|factories|farms?|banks?|offices?|users?|participants?|members?|"
    r"nodes?|boards?|cameras?|stations?|departments?|universities|libraries|museums?|plants?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DataWords:
    """The data that a person means.

    Attributes:
        source: A named data set or a path; empty if none was named.
        clients: Number of owners; None if it was not given.
    """

    source: str
    clients: int | None


def read_data(text: str) -> DataWords:
    """Read which data are meant. A path takes precedence over a named data set."""
    path = _PATH.search(text)
    named = next((name for name, words in _NAMED if words.search(text)), "")
    source = (path["quoted"] or path["bare"]) if path else named
    owners = _OWNERS.search(text)
    if owners is None:
        return DataWords(source, None)
    return DataWords(source, number_of(owners["number"]) or None)
