"""The expert that reads a trained model's logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright.tools.federated.serving.installed import TrainedModelManifest
from edgewright.tools.vision.classification import percent, probabilities_of, top_labels

if TYPE_CHECKING:
    import torch


class TrainedClassifier:
    """Reads a trained model's logits as one of its classes; implements ``Expert``.

    Args:
        manifest: Of the model.
    """

    approximate = False

    def __init__(self, manifest: TrainedModelManifest) -> None:
        self.id = expert_id(manifest.model)
        self.card = manifest.model
        self.model = manifest.model
        self._classes = manifest.classes

    def check(self, args: Mapping[str, str]) -> None:
        """Accept anything: a picture alone is enough."""

    def postprocess(self, output: torch.Tensor, args: Mapping[str, str]) -> dict[str, Any]:
        """Read the logits."""
        labels = top_labels(probabilities_of(output), self._classes)
        best = labels[0]
        return {"text": f"{best['label']} ({percent(best['score'])})", "labels": labels}


def expert_id(model: str) -> str:
    """Return the id of the expert that reads a trained model."""
    return f"{model}-expert"
