"""The built-in vision experts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgewright.tools.models.expert import Expert
from edgewright.tools.vision.approximate import LabelCaptioner, LabelQuestionAnswerer
from edgewright.tools.vision.classification import LabelClassifier, NamedClassifier
from edgewright.tools.vision.generation import BlipCaptioner, BlipQuestionAnswerer


def builtin_experts(load: Callable[[str], Any]) -> tuple[Expert, ...]:
    """Return the experts, without loading any model.

    Args:
        load: Returns the loaded model with a given id; called by experts that need labels or
            generated text from their model.
    """
    return (
        LabelClassifier(),
        LabelCaptioner(),
        LabelQuestionAnswerer(),
        NamedClassifier("vit", lambda: load("vit").label_names),
        NamedClassifier("torchvision", lambda: load("torchvision").label_names),
        BlipCaptioner(lambda output: load("blip-captioning").captions(output)[0]),
        BlipQuestionAnswerer(lambda output, question: load("blip-vqa").answer(output, question)),
    )
