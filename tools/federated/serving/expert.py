"""The expert of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.tools.federated.serving.installed import TrainedModelManifest
from edgewright.tools.models.adapter import Features
from edgewright.tools.vision.classification import percent, probabilities_of, top_labels


class TrainedClassifier:
    """Interprets a trained model's logits as its classes; implements ``Expert``.

    Args:
        manifest: Manifest of the model.
    """

    approximate = False

    def __init__(self, manifest: TrainedModelManifest) -> None:
        self.id = expert_id(manifest.model)
        self.card = manifest.model
        self.model = manifest.model
        self._classes = manifest.classes

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the top labels; ``text`` names the best one, or says that none fits.

        ``output`` holds the classes' logits, and how unfamiliar the image is if that is known.
        """
        count = len(self._classes)
        labels = top_labels(probabilities_of(output[:, :count]), self._classes)
        best = labels[0]
        if output.shape[1] > count and output[0, count] > 0:
            text = f"not one of its classes (the closest is {best['label']})"
            return {"text": text, "labels": [], "unfamiliar": round(float(output[0, count]), 3)}
        return {"text": f"{best['label']} ({percent(best['score'])})", "labels": labels}


def expert_id(model: str) -> str:
    """Return the id of a trained model's expert."""
    return f"{model}-expert"
