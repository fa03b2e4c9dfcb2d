"""Finding poses: a network that expects one person in the middle of a square (MoveNet, 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from edgewright.tools.contracts.perceptions import (
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Keypoint,
    Pose,
)
from edgewright.tools.vision.perception.detectors import Network, pixels_of

PERSON = "person"
_SIZE = 256
#: The square is larger than the person by this factor, so that the surroundings are seen too.
_SURROUNDINGS = 1.25
_MAX_PEOPLE = 12
#: How many joints tell whether somebody is there.
_BEST_JOINTS = 8


def poses(run: Network, image: Image.Image, objects: Sequence[DetectedObject]) -> list[Pose]:
    """Find the pose of each person that was detected.

    Args:
        run: float32 ``[1, 3, 256, 256]``, red, green and blue from 0 to 255, to ``[1, 1, 17, 3]``:
            y, x (0 to 1 over the square) and score of each keypoint.
        image: Upright RGB image.
        objects: The objects in it.

    Returns:
        The poses, that of the most certain person first.
    """
    people = [each for each in objects if each.label == PERSON][:_MAX_PEOPLE]
    return [_pose(run, image, person) for person in people]


def joints(run: Network, image: Image.Image, person: DetectedObject) -> float:
    """Return the mean score of the joints that are seen best on a person; low if there is nobody.

    Args:
        run: As for ``poses``.
        image: Upright RGB image.
        person: Where the person may be.
    """
    keypoints = _pose(run, image, person).keypoints
    best = sorted((point.score for point in keypoints), reverse=True)[:_BEST_JOINTS]
    return sum(best) / len(best)


def square_around(box: Box, factor: float) -> tuple[float, float, float]:
    """Return left side, upper side and side length of a square around a box.

    Args:
        box: The box.
        factor: Side of the square over the long side of the box.
    """
    side = max(box.width, box.height, 1.0) * factor
    x, y = box.centre
    return x - side / 2, y - side / 2, side


def cut_out(image: Image.Image, square: tuple[float, float, float], size: int) -> Image.Image:
    """Return a square of an image at a size; what lies outside the image is black.

    Args:
        image: RGB image.
        square: Left side, upper side and side length in pixels of the image.
        size: Side of the result in pixels.
    """
    left, top, side = square
    inside = (
        max(0, int(left)),
        max(0, int(top)),
        min(image.width, int(np.ceil(left + side))),
        min(image.height, int(np.ceil(top + side))),
    )
    result = Image.new("RGB", (size, size))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return result
    scale = size / side
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
    part = image.resize(scaled, Image.Resampling.BILINEAR, box=inside, reducing_gap=3)
    result.paste(part, (round((inside[0] - left) * scale), round((inside[1] - top) * scale)))
    return result


def _pose(run: Network, image: Image.Image, person: DetectedObject) -> Pose:
    left, top, side = square = square_around(person.box, _SURROUNDINGS)
    found = run(pixels_of(cut_out(image, square, _SIZE)))[0, 0]
    keypoints = tuple(
        Keypoint(
            name=name,
            x=round(left + float(x) * side, 1),
            y=round(top + float(y) * side, 1),
            score=round(float(np.clip(score, 0, 1)), 4),
        )
        for name, (y, x, score) in zip(KEYPOINT_NAMES, found, strict=True)
    )
    return Pose(box=person.box, score=person.score, keypoints=keypoints)
