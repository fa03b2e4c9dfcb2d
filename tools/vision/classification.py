"""Image classification experts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from edgewright.tools.models.adapter import Features
from edgewright.tools.vision.labels import vocabulary

#: Number of labels in a classification.
TOP = 5
#: Probability below which the best label is only a guess.
_GUESS = 0.3


class LabelClassifier:
    """Interprets ImageNet logits as a list of labels and a name; implements ``Expert``."""

    id = "efficientnet-lite0-classifier"
    card = "image-classification"
    model = "efficientnet-lite0"
    approximate = False

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the top labels; ``text`` names a group if no single label stands out."""
        words = vocabulary()
        probabilities = probabilities_of(output)
        labels = top_labels(probabilities, words.labels)
        concept, score = words.name(probabilities)
        text = labels[0]["label"]
        if len(concept.labels) > 1:
            text = f"{concept.words[0]}, perhaps {text}"
        elif score < _GUESS:
            text = f"perhaps {text}"
        return {"text": f"{text} ({percent(score)})", "labels": labels}


class NamedClassifier:
    """Interprets the logits of a model with its own label names; implements ``Expert``.

    Args:
        model: Model id.
        label_names: Returns the names by index; called for each output.
    """

    card = "image-classification"
    approximate = False

    def __init__(self, model: str, label_names: Callable[[], Sequence[str]]) -> None:
        self.id = f"{model}-classifier"
        self.model = model
        self._label_names = label_names

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the top labels; ``text`` names the best one."""
        labels = top_labels(probabilities_of(output), self._label_names())
        best = labels[0]
        return {"text": f"{best['label']} ({percent(best['score'])})", "labels": labels}


def probabilities_of(logits: Features) -> list[float]:
    """Convert logits ``[1, N]`` to probabilities."""
    shares = np.exp(logits[0].astype(np.float64) - logits[0].max())
    probabilities: list[float] = (shares / shares.sum()).tolist()
    return probabilities


def top_labels(
    probabilities: Sequence[float], names: Sequence[str], count: int = TOP
) -> list[dict[str, Any]]:
    """List the most probable labels, best first, as JSON values."""
    best = sorted(range(len(names)), key=lambda index: -probabilities[index])[:count]
    return [{"label": names[index], "score": round(probabilities[index], 4)} for index in best]


def percent(score: float) -> str:
    """Format a probability for a person, never as a certainty."""
    return f"{min(max(round(score * 100), 1), 99)} %" if score >= 0.005 else "under 1 %"
