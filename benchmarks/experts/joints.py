"""Joints of people: the share of visible ones that are found where they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageEnhance, ImageOps

from edgewright.tools.contracts.perceptions import IN_VIEW, Point, Pose

#: A joint is right within this share of the person's size, the long side of the box.
TOLERANCE = 0.08

Joints = dict[str, Point]


@dataclass(frozen=True)
class View:
    """A photograph, or a variant of it, with the visible joints of its people.

    Attributes:
        name: What it is.
        image: The image.
        people: Positions of the visible joints of each person.
    """

    name: str
    image: Image.Image
    people: tuple[Joints, ...]


def views(name: str, image: Image.Image, people: Sequence[Mapping[str, Point]]) -> Iterator[View]:
    """Yield a photograph as it is, mirrored, at half its size, and in little light.

    Args:
        name: Name of the photograph.
        image: RGB image.
        people: Positions of the visible joints of each person.
    """
    plain = tuple(dict(joints) for joints in people)
    yield View(name, image, plain)
    mirrored = tuple(
        {_other_side(joint): (image.width - 1 - x, y) for joint, (x, y) in joints.items()}
        for joints in plain
    )
    yield View(f"{name}, mirrored", ImageOps.mirror(image), mirrored)
    half = tuple({joint: (x / 2, y / 2) for joint, (x, y) in joints.items()} for joints in plain)
    yield View(f"{name}, half size", image.reduce(2), half)
    yield View(f"{name}, dark", ImageEnhance.Brightness(image).enhance(0.35), plain)


def right_joints(people: Sequence[Joints], poses: Sequence[Pose]) -> list[list[str]]:
    """Return, for each person, the joints that are found where they are.

    Each person is compared with the pose that has most of the joints right; a pose is used once.

    Args:
        people: Positions of the visible joints of each person.
        poses: The poses that were found.
    """
    left, found = list(poses), []
    for joints in people:
        scored = [(_right(joints, pose), pose) for pose in left]
        best, pose = max(scored, key=lambda each: len(each[0]), default=([], None))
        if best and pose is not None:
            left.remove(pose)
        found.append(best)
    return found


def _right(joints: Joints, pose: Pose) -> list[str]:
    size = max(pose.box.width, pose.box.height)
    points = {point.name: point for point in pose.keypoints if point.score >= IN_VIEW}
    return [
        name
        for name, place in joints.items()
        if name in points and math.dist((points[name].x, points[name].y), place) <= TOLERANCE * size
    ]


def _other_side(joint: str) -> str:
    side, _, part = joint.partition(" ")
    return {"left": f"right {part}", "right": f"left {part}"}.get(side, joint)
