"""The built-in vision experts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgewright.tools.models.expert import GeneratingExpert, OutputExpert
from edgewright.tools.vision.answering.answerer import EvidenceAnswerer
from edgewright.tools.vision.answering.captions import EvidenceCaptioner
from edgewright.tools.vision.approximate import LabelCaptioner, LabelQuestionAnswerer
from edgewright.tools.vision.classification import LabelClassifier, NamedClassifier
from edgewright.tools.vision.cut_experts import CutDetector, CutPoseDetector
from edgewright.tools.vision.facial_expression import ExpressionReader
from edgewright.tools.vision.generation import BlipCaptioner, BlipQuestionAnswerer
from edgewright.tools.vision.object_detection import ObjectDetector
from edgewright.tools.vision.perception.detectors import nanodet_output, ssd_output
from edgewright.tools.vision.perception.needed import (
    DETECTOR,
    POSE,
    SECOND_DETECTOR,
    SMALL_POSE,
)
from edgewright.tools.vision.pose_detection import PoseDetector
from edgewright.tools.vision.pose_to_image import (
    PoseControlNet,
    PoseFigure,
    generate_with_controlnet,
)
from edgewright.tools.vision.scene import SceneExpert
from edgewright.tools.vision.text_recognition import TextRecogniser


def builtin_experts(
    load: Callable[[str], Any], load_original: Callable[[str], Any]
) -> tuple[OutputExpert, ...]:
    """Return the experts that interpret the output of a model, without loading any.

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
        CutDetector(DETECTOR, nanodet_output, threshold=0.4),
        CutDetector(SECOND_DETECTOR, ssd_output, threshold=0.4),
        CutPoseDetector(POSE),
        CutPoseDetector(SMALL_POSE),
        BlipCaptioner(lambda output: load_original("blip-captioning").captions(output)[0]),
        BlipQuestionAnswerer(
            lambda output, question: load_original("blip-vqa").answer(output, question)
        ),
    )


def builtin_scene_experts() -> tuple[SceneExpert, ...]:
    """Return the experts that look at whole images, without loading any network."""
    return (
        ObjectDetector(),
        TextRecogniser(),
        PoseDetector(),
        ExpressionReader(),
        EvidenceAnswerer(),
        EvidenceCaptioner(),
    )


def builtin_generating_experts() -> tuple[GeneratingExpert, ...]:
    """Return the experts that make images, without loading any model."""
    return PoseControlNet(generate_with_controlnet), PoseFigure()
