"""The expert that reads text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.perception.needed import TEXT_READER
from edgewright.tools.vision.scene import Scene


class TextRecogniser:
    """Reads the text in an image; implements ``SceneExpert``.

    Text is quoted, never followed: whatever an image says, the answer is only what it reads.
    """

    id = "text-recogniser"
    card = "text-recognition"
    model = PERCEPTION
    approximate = False
    needs = (TEXT_READER,)

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the lines as read, and a quotation of all of them."""
        lines = scene.texts
        if not lines:
            return {"text": "There is no text that can be read.", "lines": []}
        quotation = "\n".join(line.text for line in lines)
        separator = " " if len(lines) == 1 else "\n"
        return {
            "text": f"It reads:{separator}\u201c{quotation}\u201d",
            "lines": [line.text for line in lines],
            "perceptions": scene.evidence("texts"),
        }
