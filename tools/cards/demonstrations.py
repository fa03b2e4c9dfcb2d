"""Demonstrations of requests that need several tools: the tools and the links between them.

Requests for one card are part of that card. Requests for several cards are stored beside the cards
in a JSON Lines file with ``request``, ``tools`` (card ids) and, optionally, ``links`` (pairs of
card ids). TaskBench calls the ids ``nodes``; both names are accepted.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import InputError
from edgewright.tools.storage.documents import parse_rows
from edgewright.tools.storage.reading import decode, read_file

#: Name of the demonstrations file in a folder of cards.
DEMONSTRATIONS = "demonstrations.jsonl"
#: Maximum size of such a file, in bytes.
MAX_BYTES = 50_000_000


class PlanDemonstration(BaseModel):
    """A request and the graph of tools that serves it.

    Attributes:
        request: Text of the request.
        tools: Ids of the cards it needs.
        links: Pairs of card ids: the first card's output is the second card's input.
    """

    model_config = ConfigDict(frozen=True)

    request: str = Field(min_length=1, max_length=4000)
    tools: tuple[str, ...] = Field(validation_alias=AliasChoices("tools", "nodes"))
    links: tuple[tuple[str, str], ...] = ()


def read_demonstrations(path: Path, cards: Container[str]) -> tuple[PlanDemonstration, ...]:
    """Read demonstrations from a file.

    Args:
        path: A JSON Lines file.
        cards: The catalogue, or the card ids, that the demonstrations may name.

    Raises:
        InputError: A line does not validate, or names a tool that is not in the catalogue.
    """
    return parse_demonstrations(path.name, decode(read_file(path, MAX_BYTES)), cards)


def parse_demonstrations(
    name: str, text: str, cards: Container[str]
) -> tuple[PlanDemonstration, ...]:
    """Parse demonstrations from text, as ``read_demonstrations`` does from a file.

    Args:
        name: Name of the text in error messages.
        text: JSON lines.
        cards: The catalogue, or the card ids, that the demonstrations may name.
    """
    demonstrations: list[PlanDemonstration] = []
    for number, row in parse_rows(text):
        try:
            shown = PlanDemonstration.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "line"
            raise InputError(f"{name}, line {number}: {where}: {first['msg']}") from None
        for tool in {*shown.tools, *(end for link in shown.links for end in link)}:
            if tool not in cards:
                raise InputError(f"{name}, line {number}: unknown tool {tool[:100]!r}")
        demonstrations.append(shown)
    return tuple(demonstrations)
