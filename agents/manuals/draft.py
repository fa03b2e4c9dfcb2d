"""The draft of a card: facts with their quotations, and the card made from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.cards import ToolCard
from edgewright.tools.manuals.manual import Manual

#: Maximum length of a quotation, in characters.
MAX_QUOTE = 240
#: Maximum length of the note to a draft, in characters.
MAX_NOTE = 500
#: Maximum number of lines in a quotation.
MAX_WRAPPED = 4

FactField = Literal["device", "senses", "unit", "interface", "limit"]


class Fact(BaseModel):
    """A statement of a manual about its device.

    Attributes:
        field: Kind of statement.
        value: Its value: numbers, or words from the program's own lists.
        about: What a unit or limit applies to, such as ``air temperature`` or ``supply``.
        quote: The words of the manual that state it.
        line: Line in which the quoted sentence begins; in a PDF, counted per page.
        page: Page of a PDF; None for other manuals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: FactField
    value: str = Field(min_length=1, max_length=80)
    about: str = Field(default="", max_length=60)
    quote: str = Field(min_length=1, max_length=MAX_QUOTE)
    line: int = Field(gt=0)
    page: int | None = Field(default=None, gt=0)


class CardDraft(BaseModel):
    """A card that a person has yet to approve.

    Attributes:
        manual: File name of the manual.
        drafted_by: The extractor that read the manual.
        note: Note to the person, such as why the chat model was not used.
        facts: The facts that the card is made from.
        card: The card.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: str = Field(max_length=255)
    drafted_by: Literal["embedded", "chat-model"]
    note: str = Field(default="", max_length=MAX_NOTE)
    facts: tuple[Fact, ...]
    card: ToolCard


class Extraction(BaseModel):
    """The facts extracted from a manual.

    Attributes:
        facts: The facts.
        drafted_by: The extractor that read them.
        note: Note to the person.
    """

    model_config = ConfigDict(frozen=True)

    facts: tuple[Fact, ...]
    drafted_by: Literal["embedded", "chat-model"]
    note: str = ""


def values(facts: Sequence[Fact], field: FactField, about: str | None = None) -> list[str]:
    """Return the distinct values of a field in order, optionally of one subject only."""
    found = [f.value for f in facts if f.field == field and about in (None, f.about)]
    return list(dict.fromkeys(found))


def is_quoted_from(fact: Fact, manual: Manual) -> bool:
    """Return whether a manual contains a fact's quotation word for word at the line it names."""
    for index, line in enumerate(manual.lines):
        if (line.number, line.page) == (fact.line, fact.page):
            wrapped = [each.text for each in manual.lines[index : index + MAX_WRAPPED]]
            return fact.quote in " ".join(wrapped)
    return False
