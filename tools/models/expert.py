"""The expert protocol: interpreting a backbone's output for one card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from edgewright.tools.models.adapter import Features


class Expert(Protocol):
    """Interprets a backbone's output as the result of one card.

    The backbone runs as a chain of blocks (``tools/split``), on one node or two; ``postprocess``
    runs on the node that ran the last block. ``check`` needs no weights and runs first, so that a
    request that cannot be served costs neither computation nor bytes.

    Attributes:
        id: Expert id, as named by cards.
        card: Id of the card it carries out.
        model: Model id of its backbone.
        approximate: Whether it stands in for a better expert that is not configured.
    """

    id: str
    card: str
    model: str
    approximate: bool

    def check(self, args: Mapping[str, str]) -> None:
        """Check the arguments before any work is done.

        Raises:
            InputError: An argument is missing or too long.
            RefusedError: The expert cannot answer the request; the message gives the reason.
        """
        ...

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Convert the backbone's output to the card's result.

        Args:
            output: float32, the last block's output for a batch of one.
            args: The card's arguments.

        Returns:
            JSON values only. ``text`` is always present: one sentence or phrase for a person.
            Classification adds ``labels``: a list of ``{"label", "score"}``, best first.
        """
        ...
