"""The protocol of experts that read sensors, or other tasks' estimates, instead of an image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgewright.tools.sensing.protocol import Window

#: What every estimate says that rests on simulated people.
SIMULATED = "trained on simulated data"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A label with its probability, as one source sees it.

    Attributes:
        source: What it was read from, in words: ``network traffic``.
        labels: Labels with probabilities, most probable first.
        evidence: The figures behind it, by name.
        basis: What the expert was trained on.
    """

    source: str
    labels: Sequence[tuple[str, float]]
    evidence: Mapping[str, Any]
    basis: str = SIMULATED

    @property
    def best(self) -> tuple[str, float]:
        """The most probable label and its probability."""
        return self.labels[0]

    def compact(self) -> str:
        """Return it as the text that a later task reads."""
        labels = [[name, round(score, 4)] for name, score in self.labels]
        return json.dumps(
            {"source": self.source, "labels": labels, "basis": self.basis}, separators=(",", ":")
        )

    def output(self, text: str) -> dict[str, Any]:
        """Return the output of the task.

        Args:
            text: The sentence for a person.
        """
        return {
            "text": text,
            "labels": [{"label": name, "score": round(score, 4)} for name, score in self.labels],
            "confidence": round(self.best[1], 4),
            "source": self.source,
            "evidence": dict(self.evidence),
            "basis": self.basis,
            "signal": self.compact(),
        }


class SensingExpert(Protocol):
    """Carries out a card from a sensor's window, on the node that has the sensor.

    Attributes:
        id: Expert id, as named by cards.
        card: Id of the card it carries out.
        approximate: Whether it stands in for a better expert.
        kinds: Kinds of sensors it can read; empty for one that reads other tasks' estimates.
        window_s: Length of the window it reads.
        argument: The argument that names a sensor, as ``sensor:NAME``; empty if there is none.
    """

    id: str
    card: str
    approximate: bool
    kinds: tuple[str, ...]
    window_s: float
    argument: str

    @property
    def model(self) -> str:
        """Name and revision of what it was fitted to."""
        ...

    def obstacle(self) -> str:
        """Return why it cannot run here and how to fix that; empty if it can."""
        ...

    def check(self, args: Mapping[str, str]) -> None:
        """Check the arguments before anything is read.

        Raises:
            InputError: An argument is missing or cannot be read.
        """
        ...

    def estimate(self, window: Window | None, args: Mapping[str, str]) -> dict[str, Any]:
        """Carry out the card.

        Args:
            window: The sensor's window; None for an expert without kinds.
            args: The card's arguments.

        Returns:
            JSON values only; ``text`` is one sentence for a person.

        Raises:
            RefusedError: The window does not show what is needed; nothing is invented.
        """
        ...
