"""Experts that generate captions and answers with a BLIP model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgewright.tools.models.adapter import Features
from edgewright.tools.vision.arguments import question_of


class BlipCaptioner:
    """Generates a caption from image embeddings; implements ``Expert``.

    Args:
        caption: Generates a caption from the last block's output; loads the model on first use.
    """

    id = "blip-captioner"
    card = "image-to-text"
    model = "blip-captioning"
    approximate = False

    def __init__(self, caption: Callable[[Features], str]) -> None:
        self._caption = caption

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Generate the caption."""
        return {"text": self._caption(output)}


class BlipQuestionAnswerer:
    """Answers a question from image embeddings; implements ``Expert``.

    Args:
        answer: Answers a question from the last block's output; loads the model on first use.
    """

    id = "blip-question-answerer"
    card = "visual-question-answering"
    model = "blip-vqa"
    approximate = False

    def __init__(self, answer: Callable[[Features, str], str]) -> None:
        self._answer = answer

    def check(self, args: Mapping[str, str]) -> None:
        """Require a question."""
        question_of(args)

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Answer the question."""
        return {"text": self._answer(output, question_of(args))}
