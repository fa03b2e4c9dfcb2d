"""Demonstrations of whole requests: which tools they need, and which feeds which.

A card shows on itself how it alone is asked for. Requests for several cards at once stand beside
the cards, in a file of JSON lines with ``request``, ``tools`` (card ids) and, if wanted, ``links``
(pairs of card ids). TaskBench calls the ids ``nodes``; both names are read.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import InputError

#: Name of the file in a folder of cards.
DEMONSTRATIONS = "demonstrations.jsonl"


class PlanDemonstration(BaseModel):
    """A request and the graph of tools that serves it.

    Attributes:
        request: The words.
        tools: Ids of the cards that it asks for.
        links: Pairs of card ids: the first one's output is the second one's input.
    """

    model_config = ConfigDict(frozen=True)

    request: str = Field(min_length=1, max_length=4000)
    tools: tuple[str, ...] = Field(validation_alias=AliasChoices("tools", "nodes"))
    links: tuple[tuple[str, str], ...] = ()


def read_demonstrations(path: Path, cards: Container[str]) -> tuple[PlanDemonstration, ...]:
    """Read demonstrations.

    Args:
        path: JSON lines.
        cards: The catalogue, or the card ids, that they speak of.

    Raises:
        InputError: A line is not of that form, or names a tool that is not in the catalogue.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"cannot read {path.name!r} as a text file") from None
    return parse_demonstrations(path.name, text, cards)


def parse_demonstrations(
    name: str, text: str, cards: Container[str]
) -> tuple[PlanDemonstration, ...]:
    """Read demonstrations from text, as ``read_demonstrations`` does from a file.

    Args:
        name: What the text is called in messages.
        text: JSON lines.
        cards: The catalogue, or the card ids, that they speak of.
    """
    demonstrations: list[PlanDemonstration] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            shown = PlanDemonstration.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "line"
            raise InputError(f"{name}, line {number}: {where}: {first['msg']}") from None
        for tool in {*shown.tools, *(end for link in shown.links for end in link)}:
            if tool not in cards:
                raise InputError(f"{name}, line {number}: no tool {tool[:100]!r}")
        demonstrations.append(shown)
    return tuple(demonstrations)
