"""The manual type: a document as numbered lines."""

from __future__ import annotations

import unicodedata

from pydantic import BaseModel, ConfigDict, Field

#: Maximum length of a line, in characters; longer lines are cut.
MAX_LINE = 2000


class Line(BaseModel):
    """One non-empty line of a manual.

    Attributes:
        text: The cleaned text.
        number: Line number, from 1; in a PDF, counted per page.
        page: Page number, from 1; None in a text file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(max_length=MAX_LINE)
    number: int = Field(gt=0)
    page: int | None = Field(default=None, gt=0)


class Manual(BaseModel):
    """A manual.

    Attributes:
        name: Name of its file.
        lines: Its non-empty lines in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    lines: tuple[Line, ...]


def numbered(text: str, page: int | None = None) -> list[Line]:
    """Return the cleaned, non-empty lines of a text or of one page, with their numbers."""
    cleaned = ((number, clean(line)) for number, line in enumerate(text.splitlines(), start=1))
    return [Line(text=line, number=number, page=page) for number, line in cleaned if line]


def clean(line: str) -> str:
    """Return a line with single spaces and without control, invisible and bidi characters.

    Such characters can hide text from a person who reads a quotation in a terminal.
    """
    spaced = " ".join(line.split())
    visible = "".join(
        character for character in spaced if unicodedata.category(character)[0] != "C"
    )
    return visible[:MAX_LINE].strip()
