"""Demonstrations of whole requests: which tools they need, and which feeds which."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PlanDemonstration(BaseModel):
    """A request and the graph of tools that serves it.

    Attributes:
        request: The words.
        tools: Ids of the cards it needs.
        links: Pairs of card ids: the first one's output is the second one's input.
    """

    model_config = ConfigDict(frozen=True)

    request: str = Field(min_length=1, max_length=4000)
    tools: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
