"""The draft of a card: facts with their quotations, and the card that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.cards import ToolCard
from edgewright.tools.manuals.manual import Manual

#: Longest quotation that is kept, in characters.
MAX_QUOTE = 240
#: Maximum length of the note to a draft, in characters.
MAX_NOTE = 500
#: Most lines that one quotation runs over.
MAX_WRAPPED = 4

FactField = Literal["device", "senses", "unit", "interface", "limit"]


class Fact(BaseModel):
    """One thing that a manual says of its device.

    Attributes:
        field: What kind of thing.
        value: What it says, in words of the program's own lists and numbers.
        about: What a unit or a limit is of, such as ``air temperature`` or ``supply``.
        quote: The words of the manual that say so.
        line: Line that the quotation's sentence begins in; in a PDF counted on its page.
        page: Page of a PDF.
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
        manual: Name of the manual's file.
        drafted_by: Who read the manual.
        note: What the person should know, such as why the chat model was not used.
        facts: What the card is made from.
        card: The card.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: str = Field(max_length=255)
    drafted_by: Literal["embedded", "chat-model"]
    note: str = Field(default="", max_length=MAX_NOTE)
    facts: tuple[Fact, ...]
    card: ToolCard


class Extraction(BaseModel):
    """What was read out of a manual, before a card is made of it.

    Attributes:
        facts: The facts.
        drafted_by: Who read them.
        note: What the person should know.
    """

    model_config = ConfigDict(frozen=True)

    facts: tuple[Fact, ...]
    drafted_by: Literal["embedded", "chat-model"]
    note: str = ""


def values(facts: Sequence[Fact], field: FactField, about: str | None = None) -> list[str]:
    """Return the distinct values of one field, in order; of one subject, if it is given."""
    found = [f.value for f in facts if f.field == field and about in (None, f.about)]
    return list(dict.fromkeys(found))


def stands_in(fact: Fact, manual: Manual) -> bool:
    """Whether a manual holds a quotation, word for word, at the line that the fact names."""
    for place, line in enumerate(manual.lines):
        if (line.number, line.page) == (fact.line, fact.page):
            here = [each.text for each in manual.lines[place : place + MAX_WRAPPED]]
            return fact.quote in " ".join(here)
    return False
