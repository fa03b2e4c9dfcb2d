"""Reads which data set a person means, how many owners it has, and whether it is of images."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.numbers import NUMBER_WORDS
from edgewright.agents.fl_coder.constraints.owners import read_owners
from edgewright.tools.federated.serving.subject import subject_of

#: Patterns for the named data sets.
_NAMED = (
    ("fashion-mnist", re.compile(r"\bfashion[\s-]?mnist\b", re.IGNORECASE)),
    ("elpv", re.compile(r"\belpv\b", re.IGNORECASE)),
)
_DIGIT = re.compile(r"\bdigits?\b", re.IGNORECASE)
#: Words before "digit" that make it a measure, a finger, or what is not meant.
_OTHER_DIGIT = re.compile(
    rf"(?:\b(?:single|double|triple|\d+|{'|'.join(NUMBER_WORDS)})-|\b(?:double|triple)\s"
    r"|\b(?:check|binary|significant|decimal|last|first|not|no|unlike|than|without|instead\sof"
    r"|broken|like\s(?:for|with)|as\s(?:with|for|you\sdid(?:\s(?:with|for))?))\s"
    rf"(?:(?:the|any|hand-?written|{'|'.join(NUMBER_WORDS)})\s)*)$",
    re.IGNORECASE,
)
#: Words after it that do the same.
_DIGIT_OF = re.compile(
    r"^\s+(?:of\s+(?:(?:the|our|its|their|each|a|an)\s+)?(?:accuracy|precision|growth|hands?|paws?"
    r"|foot|feet|pi|profit|loss)|sums?\b|after\s+the)",
    re.IGNORECASE,
)
#: Words around it that make digits what is to be recognised, whatever else is named.
_RECOGNISED = re.compile(
    r"(?:hand-?written|scanned|printed|written)\s+(?:[\w'-]+\s+){0,2}digits?\b"
    r"|\b(?:read|recogni[sz]|classif|learn|identif|scan|transcri|distinguish|tell|sort)\w*\s+"
    r"(?:[\w'-]+\s+){0,4}digits?\b"
    r"|\b(?:photo|picture|image|scan|drawing)\w*\s+(?:of|with)\s+(?:[\w'-]+\s+){0,4}digits?\b"
    r"|\bdigits?\s+(?:[\w'-]+\s+){0,4}(?:to\s+be\s+)?(?:read|recogni[sz]ed|classified|learned)\b"
    r"|\bdigits?\s+(?:from|in|on)\b|\bdigits?[\s-](?:scan|classif|reader|reading|recogni|network|model|image|picture|photo|crop|data)",
    re.IGNORECASE,
)
#: Digits, in the words for a subject.
_NUMERALS = frozenset({"digit", "number", "numeral", "code", "postcode", "slip", "form", "sheet"})
#: Data that are no images. Training only learns to classify images.
_NO_IMAGES = (
    (
        "figures in tables",
        re.compile(
            r"\b(?:(?:in|from|of|on|with)\s+(?:\w+\s+){0,2}(?:spread\s?sheets?|excel|csvs?|xlsx?)"
            r"|tabular|(?:sales|price|stock|account(?:ing)?)\s+"
            r"(?:figures?|tables?|data|numbers?|records?|books?|history)|sales|turnover|revenues?"
            r"|time\s+series|sensor\s+(?:readings?|logs?)|transactions|forecast\w*|churn"
            r"|predict\w*\s+(?:\w+\s+){0,4}(?:demand|prices?|consumption|sales|turnover|weather))\b",
            re.IGNORECASE,
        ),
    ),
    (
        "texts",
        re.compile(
            r"\b(?:e-?mails?|spam|sentiment|reviews?|tweets|articles|chat\s?bots?|translat\w+"
            r"|text\s+(?:messages?|documents?)|language\s+model)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "sounds",
        re.compile(r"\b(?:audio|sounds|recordings|voices|music|songs?|noises)\b", re.IGNORECASE),
    ),
    ("videos", re.compile(r"\b(?:videos?|footage)\b", re.IGNORECASE)),
)
_IMAGES = re.compile(
    r"\b(?:photo\w*|pictures?|pics?|images?|scans?|scanned|drawings?|sketch\w*|cameras?|x-rays?"
    r"|micrographs?|snapshots?|webcams?)\b",
    re.IGNORECASE,
)
#: A path in quotation marks, or one without spaces that has a slash or a data file's extension.
_PATH = re.compile(
    r"[\"'](?P<quoted>[^\"'\n]*[/.][^\"'\n]*)[\"']"
    r"|(?<!\S)(?P<bare>(?:~|\.{0,2})/[^\s,;]+|[^\s,;]+(?:\.npz\b|/(?!\S)))"
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
    named = named or ("digits" if means_digits(text) else "")
    source = (path["quoted"] or path["bare"]) if path else named
    owners = read_owners(text)
    return DataWords(source, owners.count if owners else None)


def means_digits(text: str) -> bool:
    """Return whether a person wants digits recognised, and does not merely use the word."""
    text = " ".join(text.split())
    meant = [
        found
        for found in _DIGIT.finditer(text)
        if not _OTHER_DIGIT.search(text[: found.start()])
        and not _DIGIT_OF.search(text[found.end() :])
    ]
    if not meant:
        return False
    subject = subject_of(text)
    if not subject or set(subject.split()) & _NUMERALS:
        return True
    return any(
        found.start() <= digit.start() < found.end()
        for found in _RECOGNISED.finditer(text)
        for digit in meant
    )


def other_than_images(text: str) -> str:
    """Return what kind of data a person means if these are no images; empty if they may be."""
    if _IMAGES.search(text):
        return ""
    return next((kind for kind, words in _NO_IMAGES if words.search(text)), "")
