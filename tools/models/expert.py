"""The expert: a backbone's output read for one card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Expert(Protocol):
    """Reads a backbone's output as the answer to one card.

    The backbone runs as a chain of blocks (``tools/split``), on one node or on two; ``postprocess``
    runs wherever the last block ran. ``check`` needs no weights and runs before anything else, so
    a question that cannot be answered costs neither computation nor bytes.

    Attributes:
        id: Expert id, as named by cards.
        card: Card it carries out.
        model: Model id of its backbone.
        approximate: Whether it stands in for a better expert that is not configured.
    """

    id: str
    card: str
    model: str
    approximate: bool

    def check(self, args: Mapping[str, str]) -> None:
        """Raise before any work is done if the arguments cannot be served.

        Raises:
            InputError: An argument is missing or too long.
            RefusedError: The expert cannot know this, with the reason.
        """
        ...

    def postprocess(self, output: torch.Tensor, args: Mapping[str, str]) -> dict[str, Any]:
        """Read the backbone's output.

        Args:
            output: float32, the last block's output for a batch of one.
            args: The card's arguments.

        Returns:
            JSON values only. ``text`` is always there: one sentence or phrase for a person.
            Classification adds ``labels``: a list of ``{"label", "score"}``, best first.
        """
        ...
