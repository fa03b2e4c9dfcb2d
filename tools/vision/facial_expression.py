"""The expert that judges facial expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.tools.contracts.perceptions import Face
from edgewright.tools.errors import RefusedError
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.classification import percent
from edgewright.tools.vision.perception.needed import (
    DETECTOR,
    EXPRESSION,
    FACE_DETECTOR,
    SECOND_DETECTOR,
)
from edgewright.tools.vision.scene import Scene

#: Less probable expressions are named as a guess.
_CLEAR = 0.6
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class ExpressionReader:
    """Judges the expression of each face that looks into the camera; implements ``SceneExpert``.

    It says how a face looks, never how somebody feels. Faces seen from the side, and very small
    ones, are not judged, because the network is often wrong about them.
    """

    id = "expression-reader"
    card = "facial-expression"
    model = PERCEPTION
    approximate = False
    needs = (DETECTOR, SECOND_DETECTOR, FACE_DETECTOR, EXPRESSION)

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the faces from left to right, with the scores of their expressions.

        Raises:
            RefusedError: No face can be seen.
        """
        faces = sorted(scene.faces, key=lambda face: face.box.x0)
        if not faces:
            raise RefusedError(
                "no face was found in this image, so there is no expression; send one that shows "
                "a face from the front"
            )
        return {
            "text": _described(faces),
            "faces": [face.model_dump(mode="json") for face in faces],
            "perceptions": scene.evidence("faces"),
        }


def looks(face: Face) -> str:
    """Return how a face looks, as the end of a sentence that begins with its name."""
    if not face.frontal:
        return "is turned away, so its expression is not judged"
    if not face.expressions:
        return "is too small to judge its expression"
    (best, score), (second, other) = list(face.expressions.items())[:2]
    if score >= _CLEAR:
        return f"looks {best} ({percent(score)})"
    return f"may look {best} ({percent(score)}) or {second} ({percent(other)})"


def _described(faces: list[Face]) -> str:
    if len(faces) == 1:
        return f"The face {looks(faces[0])}."
    named = [
        f"the {_ORDINALS[index]} {looks(face)}"
        for index, face in enumerate(faces[: len(_ORDINALS)])
    ]
    more = len(faces) - len(named)
    rest = f"; {more} more {'are' if more > 1 else 'is'} listed in the result" if more else ""
    return f"{len(faces)} faces, from the left: {'; '.join(named)}{rest}."
