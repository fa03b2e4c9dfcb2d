"""Reader for catalogues in TaskBench's format.

``tools.json`` holds ``{"nodes": [{"id", "desc", "input-type", "output-type"}]}``. Requests with
their tools are read by ``tools/cards/demonstrations.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.contracts.cards import ArgumentSpec, DataType, ToolCard
from edgewright.tools.errors import InputError
from edgewright.tools.storage.documents import DocumentError, parse_json
from edgewright.tools.storage.reading import decode, read_file

#: Maximum size of a catalogue, in bytes.
MAX_CATALOGUE_BYTES = 20_000_000


class PublishedCard(ToolCard):
    """A card from a third-party catalogue, under the id it was published with."""

    @field_validator("id")
    @classmethod
    def _kebab(cls, value: str) -> str:
        if not value.strip() or len(value) > 100 or not value.isprintable():
            raise ValueError("an id is one printable line of at most 100 characters")
        return value


class _Node(BaseModel):
    id: str
    desc: str
    inputs: tuple[DataType, ...] = Field(alias="input-type", default=())
    outputs: tuple[DataType, ...] = Field(alias="output-type", default=())


def read_catalogue(path: Path) -> CardRegistry:
    """Read a catalogue.

    Args:
        path: A ``tools.json``.

    Raises:
        InputError: The file does not have the expected form; the message says where.
    """
    try:
        nodes = parse_json(decode(read_file(path, MAX_CATALOGUE_BYTES)))["nodes"]
        return CardRegistry(_card(_Node.model_validate(node)) for node in nodes)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"catalogue {path.name}: {where}: {first['msg']}") from None
    except (DocumentError, KeyError, TypeError):
        raise InputError(
            f"catalogue {path.name}: expected JSON with a list 'nodes' of tools, each with "
            "'id', 'desc', 'input-type' and 'output-type'"
        ) from None


def _card(node: _Node) -> ToolCard:
    """Convert a node to a card; its arguments are named after its input types."""
    return PublishedCard(
        id=node.id,
        task_type=re.sub(r"[^a-z0-9]+", "-", node.id.lower()).strip("-") or "tool",
        title=node.id[:60],
        description=node.desc[:1000].ljust(10),
        inputs=node.inputs,
        outputs=node.outputs,
        arguments=_arguments(node.inputs),
    )


def _arguments(inputs: tuple[DataType, ...]) -> dict[str, ArgumentSpec]:
    seen: Counter[Any] = Counter()
    arguments: dict[str, ArgumentSpec] = {}
    for kind in inputs:
        seen[kind] += 1
        name = kind if seen[kind] == 1 else f"{kind}_{seen[kind]}"
        arguments[name] = ArgumentSpec(type=kind, description=f"The {kind} to process.")
    return arguments
