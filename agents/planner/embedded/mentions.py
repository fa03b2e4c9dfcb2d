"""File names and quotations in a request: values for arguments, but noise to the encoder."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.clauses import QUOTED, may_quote
from edgewright.tools.contracts.cards import DataType

#: File name extensions by kind of data.
_ENDINGS: dict[DataType, str] = {
    "image": "jpe?g|png|bmp|gif|webp|avif|tiff?",
    "audio": "wav|mp3|flac|ogg|m4a",
    "video": "mp4|avi|mov|mkv|webm",
    "text": "txt|md|pdf|docx?|html?",
    "dataset": "csv|tsv|parquet|npz",
}
_FILES = {
    kind: re.compile(rf"['\"(]*(?P<name>\b[\w\-/:.]*\w\.(?:{endings})\b)['\")]*", re.IGNORECASE)
    for kind, endings in _ENDINGS.items()
}
#: A part of every file name; few texts have one, and this search is faster than those above.
_FILE = re.compile(rf"\w\.(?:{'|'.join(_ENDINGS.values())})\b", re.IGNORECASE)
#: A quotation of at most this many words, or a question, is part of the request; a longer one is
#: material to work on.
_SHORT = 2


@dataclass(frozen=True)
class FileMention:
    """A file name in a text.

    Attributes:
        name: The name as written.
        kind: Kind of data, by its extension.
        start: Position in the text.
    """

    name: str
    kind: DataType
    start: int


def files(text: str) -> list[FileMention]:
    """Return the file names in a text, in order."""
    found = [
        FileMention(name=match["name"], kind=kind, start=match.start("name"))
        for kind, pattern in _FILES.items()
        for match in pattern.finditer(text)
    ]
    return sorted(found, key=lambda mention: mention.start)


def quotations(text: str) -> list[str]:
    """Return the quoted passages of a text, except file names."""
    return [
        quoted for match in QUOTED.finditer(text) if not files(quoted := _quoted(match).strip())
    ]


def masked(text: str) -> str:
    """Return the text with placeholders for file names and long quotations."""
    if _FILE.search(text):
        for kind, pattern in _FILES.items():
            text = pattern.sub(f"{kind} file", text)
    return QUOTED.sub(_placeholder, text) if may_quote(text) else text


def _placeholder(match: re.Match[str]) -> str:
    quoted = _quoted(match).strip()
    if quoted.endswith("?") or len(quoted.split()) <= _SHORT:
        return match[0]
    return "the given text"


def _quoted(match: re.Match[str]) -> str:
    return match["single"] or match["double"] or match["curly"] or ""
