"""The protocols of experts, which carry out cards with the help of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from edgewright.tools.models.adapter import Features

if TYPE_CHECKING:
    from PIL import Image

#: The model id of experts that draw by rules, and that of a diffusion model with a pose to follow.
DRAWING, CONTROLNET = "drawing", "controlnet"
#: The model id of experts that look at whole images: their networks share a process.
PERCEPTION = "perception"


class Expert(Protocol):
    """Carries out one card; what all experts have in common.

    ``check`` needs no weights and runs first, so that a request that cannot be served costs neither
    computation nor bytes.

    Attributes:
        id: Expert id, as named by cards.
        card: Id of the card it carries out.
        approximate: Whether it stands in for a better expert that is not configured.
    """

    id: str
    card: str
    approximate: bool

    @property
    def model(self) -> str:
        """Model id of its backbone, or of the networks that it shares with other experts."""
        ...

    def check(self, args: Mapping[str, str]) -> None:
        """Check the arguments before any work is done.

        Raises:
            InputError: An argument is missing or too long.
            RefusedError: The expert cannot answer the request; the message gives the reason.
        """
        ...


class GeneratingExpert(Expert, Protocol):
    """Makes a new image from its arguments alone."""

    def generate(self, args: Mapping[str, str]) -> tuple[str, Image.Image]:
        """Carry out the card.

        Args:
            args: The card's arguments.

        Returns:
            A sentence for a person that says what was made and how, and the image.

        Raises:
            UnavailableError: The model cannot be loaded.
        """
        ...


class OutputExpert(Expert, Protocol):
    """Interprets a backbone's output as the result of one card.

    The backbone runs as a chain of blocks (``tools/split``), on one node or two; ``postprocess``
    runs on the node that ran the last block.
    """

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
