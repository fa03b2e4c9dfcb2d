"""A manual as its numbered lines."""

from __future__ import annotations

import unicodedata

from pydantic import BaseModel, ConfigDict, Field

#: Longest line that is kept, in characters.
MAX_LINE = 2000


class Line(BaseModel):
    """One line of a manual that holds any words.

    Attributes:
        text: The line, cleaned.
        number: Its number, from 1; in a PDF counted on each page.
        page: Its page, from 1; None in a text file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(max_length=MAX_LINE)
    number: int = Field(gt=0)
    page: int | None = Field(default=None, gt=0)


class Manual(BaseModel):
    """A manual.

    Attributes:
        name: Name of its file.
        lines: Its lines in order, without empty ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    lines: tuple[Line, ...]


def numbered(text: str, page: int | None = None) -> list[Line]:
    """Return the lines of a text, or of one page of it, cleaned and without empty ones."""
    cleaned = ((number, clean(line)) for number, line in enumerate(text.splitlines(), start=1))
    return [Line(text=line, number=number, page=page) for number, line in cleaned if line]


def clean(line: str) -> str:
    """Return a line without control, invisible and direction characters, and with single spaces.

    Such characters can hide text from a person who reads a quotation on a terminal.
    """
    spaced = " ".join(line.split())
    visible = "".join(each for each in spaced if unicodedata.category(each)[0] != "C")
    return visible[:MAX_LINE].strip()
