"""Finding faces, and judging the expressions of those that look into the camera.

Faces come from BlazeFace (Bazarevsky et al., 2019), which sees only large ones; so it looks at the
head of each person as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.contracts.perceptions import Box, DetectedObject, Face
from edgewright.tools.vision.perception.boxes import Detections, Floats, distinct
from edgewright.tools.vision.perception.detectors import Network, pixels_of
from edgewright.tools.vision.perception.pose import PERSON, cut_out, square_around

#: In the order of the network's output.
EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

_SIZE, _EXPRESSION_SIZE = 128, 112
#: Cells along a side of each grid, and anchors in each cell.
_GRIDS = ((16, 2), (8, 6))
_FACE, _SAME_FACE = 0.6, 0.3
_MAX_PEOPLE = 12
#: A head is looked for in the upper part of a person's box: its square over the box's width, at
#: least this share of the height.
_HEAD_BY_WIDTH, _HEAD_BY_HEIGHT = 1.0, 0.4
#: A candidate is looked at again in a square of this size over its own; a face is then certain.
_CLOSER, _CERTAIN = 2.2, 0.72
#: From this score on, it is no pattern that looks like a face.
_SURE = 0.8
#: A face looks into the camera if its nose lies between these shares of the way from its right ear
#: to its left one.
_FRONTAL = (0.25, 0.75)
#: The judge of expressions sees this much more than the face.
_AROUND = 1.1
#: Smaller faces show too little of an expression, in pixels.
_SMALLEST = 32


@dataclass(frozen=True)
class _Candidate:
    """A face in pixels of the image: box, score, and eyes, nose and others as ``[6, 2]``."""

    box: Floats
    score: float
    points: NDArray[np.float64]

    @property
    def place(self) -> Box:
        """The box as a contract type."""
        x0, y0, x1, y1 = (float(value) for value in self.box)
        return Box(x0=x0, y0=y0, x1=max(x0, x1), y1=max(y0, y1))


def faces(
    find: Network, judge: Network, image: Image.Image, objects: Sequence[DetectedObject]
) -> list[Face]:
    """Find faces, and judge the expression of each that looks into the camera.

    Args:
        find: float32 ``[1, 3, 128, 128]``, red, green and blue from 0 to 255, to ``[1, 896, 17]``.
        judge: float32 ``[1, 3, 112, 112]``, likewise, to the probability of each expression, ``[1,
            7]``.
        image: Upright RGB image.
        objects: The objects in it.

    Returns:
        The faces, best first.
    """
    people = [each.box for each in objects if each.label == PERSON]
    return [_face(judge, image, each) for each in _seen(find, image, people)]


def sure_faces(find: Network, image: Image.Image, people: Sequence[Box]) -> list[Box]:
    """Find faces that are hardly anything else, so that each shows that somebody is there.

    Args:
        find: As for ``faces``.
        image: Upright RGB image.
        people: Where people may be.

    Returns:
        Their boxes, best first.
    """
    return [each.place for each in _seen(find, image, people) if each.score >= _SURE]


def is_frontal(points: NDArray[np.float64]) -> bool:
    """Return whether a face looks into the camera.

    Args:
        points: Right eye, left eye, nose, mouth, right ear and left ear, ``[6, 2]``.
    """
    nose, right_ear, left_ear = points[2], points[4], points[5]
    across = left_ear - right_ear
    length = float(across @ across)
    return length > 0 and _FRONTAL[0] <= float((nose - right_ear) @ across) / length <= _FRONTAL[1]


def _seen(find: Network, image: Image.Image, people: Sequence[Box]) -> list[_Candidate]:
    """Return the faces that are still seen from closer up, in the image or on people's heads."""
    side = float(max(image.size))
    squares = [((image.width - side) / 2, (image.height - side) / 2, side)]
    squares += [_head(box) for box in people[:_MAX_PEOPLE]]
    found = [candidate for square in squares for candidate in _found(find, image, square)]
    closer = (_looked_at_again(find, image, each) for each in _different(found))
    return _different([each for each in closer if each is not None])


def _head(box: Box) -> tuple[float, float, float]:
    """Return the square in which a person's head is looked for."""
    side = max(_HEAD_BY_WIDTH * box.width, _HEAD_BY_HEIGHT * box.height, 1.0)
    return box.centre[0] - side / 2, box.y0 - 0.15 * side, side


def _found(
    find: Network, image: Image.Image, square: tuple[float, float, float]
) -> list[_Candidate]:
    """Return the faces in a square of the image."""
    output = find(pixels_of(cut_out(image, square, _SIZE)))[0].astype(np.float64)
    scores = 1 / (1 + np.exp(-np.clip(output[:, 16], -50, 50)))
    left, top, side = square
    found = []
    for row in np.nonzero(scores >= _FACE)[0]:
        anchor = _anchors()[row]
        centre = anchor + output[row, :2] / _SIZE
        half = output[row, 2:4] / _SIZE / 2
        points = anchor + output[row, 4:16].reshape(6, 2) / _SIZE
        corners = np.concatenate([centre - half, centre + half])
        box = (corners * side + np.array([left, top, left, top])).astype(np.float32)
        found.append(_Candidate(box, float(scores[row]), points * side + np.array([left, top])))
    return found


def _looked_at_again(find: Network, image: Image.Image, candidate: _Candidate) -> _Candidate | None:
    """Return a face as seen from closer up; None if it is none."""
    found = _found(find, image, square_around(candidate.place, _CLOSER))
    best = max(found, key=lambda each: each.score, default=None)
    return best if best is not None and best.score >= _CERTAIN else None


def _different(found: list[_Candidate]) -> list[_Candidate]:
    """Keep the best candidate for each face."""
    if not found:
        return []
    every = Detections(
        np.array([each.box for each in found]),
        np.array([each.score for each in found], dtype=np.float32),
        np.full(len(found), "face"),
    )
    return [found[index] for index in distinct(every, max_iou=_SAME_FACE)]


def _face(judge: Network, image: Image.Image, found: _Candidate) -> Face:
    limits = np.array([*image.size, *image.size])
    x0, y0, x1, y1 = (round(float(value), 1) for value in np.clip(found.box, 0, limits))
    box = Box(x0=x0, y0=y0, x1=max(x0, x1), y1=max(y0, y1))
    frontal = is_frontal(found.points)
    expressions: dict[str, float] = {}
    if frontal and min(box.width, box.height) >= _SMALLEST:
        pixels = pixels_of(cut_out(image, square_around(box, _AROUND), _EXPRESSION_SIZE))
        scores = judge(pixels)[0]
        order = np.argsort(-scores)
        expressions = {EXPRESSIONS[index]: round(float(scores[index]), 4) for index in order}
    return Face(box=box, score=round(found.score, 4), frontal=frontal, expressions=expressions)


@cache
def _anchors() -> NDArray[np.float64]:
    """Return the centre (x, y) of each anchor, relative to the square."""
    anchors = []
    for cells, count in _GRIDS:
        steps = (np.arange(cells) + 0.5) / cells
        ys, xs = np.meshgrid(steps, steps, indexing="ij")
        anchors.append(np.repeat(np.stack([xs.ravel(), ys.ravel()], axis=1), count, axis=0))
    return np.concatenate(anchors)
