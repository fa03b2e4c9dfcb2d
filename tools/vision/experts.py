"""The built-in vision experts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgewright.tools.models.expert import Expert
from edgewright.tools.vision.approximate import LabelCaptioner, LabelQuestionAnswerer
from edgewright.tools.vision.classification import LabelClassifier, NamedClassifier
from edgewright.tools.vision.generation import BlipCaptioner, BlipQuestionAnswerer


def builtin_experts(
    load: Callable[[str], Any], load_original: Callable[[str], Any]
) -> tuple[Expert, ...]:
    """Return the experts, without loading any model.

    Args:
        load: Returns the loaded model with a given id, for experts that need its label names.
        load_original: Returns the model as it was before any export, for experts that generate text
            with its decoder.
    """
    return (
        LabelClassifier(),
        LabelCaptioner(),
        LabelQuestionAnswerer(),
        NamedClassifier("vit", lambda: load("vit").label_names),
        NamedClassifier("torchvision", lambda: load("torchvision").label_names),
        NamedClassifier("onnx", lambda: load("onnx").label_names),
        BlipCaptioner(lambda output: load_original("blip-captioning").captions(output)[0]),
        BlipQuestionAnswerer(
            lambda output, question: load_original("blip-vqa").answer(output, question)
        ),
    )
