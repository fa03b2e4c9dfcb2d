"""A task under construction."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgewright.agents.planner.embedded.detection import Intent
from edgewright.tools.cards import ToolCard


@dataclass
class Step:
    """A task under construction.

    Attributes:
        card: The card that carries it out.
        intent: The intent behind it.
        args: Arguments so far; an output of another step is its position as ``<n>``.
        parents: Positions of the steps whose outputs it needs.
        image_args: Names of the arguments that take the image of the request.
        produces: Whether it was added to produce the input of a later step.
    """

    card: ToolCard
    intent: Intent
    args: dict[str, str] = field(default_factory=dict)
    parents: set[int] = field(default_factory=set)
    image_args: set[str] = field(default_factory=set)
    produces: bool = False
