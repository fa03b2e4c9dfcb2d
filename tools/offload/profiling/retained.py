"""How much of an uncut model's output is kept when its features or its image were encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgewright.tools.contracts.perceptions import (
    IN_VIEW,
    Box,
    DetectedObject,
    Perceptions,
    Pose,
)

#: Boxes of one label that overlap by so much (intersection over union) show the same object.
_SAME_BOX = 0.5
#: A joint is in its place within this share of the person's size.
_IN_PLACE = 0.05


def retained(expected: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[float, float]:
    """Compare the output after encoding with that of the uncut model.

    Labels count by the score that the uncut model gave them, so a change between two that it
    considered equally likely costs nothing. Objects are kept if a box of the same label overlaps by
    half, and boxes that the uncut model did not find count as lost ones. Joints are kept within 5 %
    of the person's size. Anything else is kept if the text is the same.

    Args:
        expected: The expert's output for the uncut model.
        found: The expert's output after encoding.

    Returns:
        How much is kept, and of how much; both are 0 if there was nothing to compare.
    """
    if "labels" in expected:
        scores = {entry["label"]: entry["score"] for entry in expected["labels"]}
        return scores.get(found["labels"][0]["label"], 0.0), max(scores.values())
    if "perceptions" in expected:
        before = Perceptions.model_validate(expected["perceptions"])
        after = Perceptions.model_validate(found["perceptions"])
        if before.poses is not None:
            return _joints(before.poses, after.poses or ())
        return _objects(before.objects or (), after.objects or ())
    return float(found["text"] == expected["text"]), 1.0


def overlap(first: Box, second: Box) -> float:
    """Return the intersection over union of two boxes."""
    common = first.overlap(second)
    either = first.area + second.area - common
    return common / either if either > 0 else 0.0


def _objects(
    expected: Sequence[DetectedObject], found: Sequence[DetectedObject]
) -> tuple[float, float]:
    left = list(found)
    matched = 0
    for one in expected:
        same = [
            other
            for other in left
            if other.label == one.label and overlap(one.box, other.box) >= _SAME_BOX
        ]
        if same:
            matched += 1
            left.remove(max(same, key=lambda other: overlap(one.box, other.box)))
    return float(matched), float(max(len(expected), len(found)))


def _joints(expected: Sequence[Pose], found: Sequence[Pose]) -> tuple[float, float]:
    kept = total = 0
    for person in expected:
        size = max(person.box.width, person.box.height)
        nearest = max(found, key=lambda pose: overlap(person.box, pose.box), default=None)
        for index, point in enumerate(person.keypoints):
            if point.score < IN_VIEW:
                continue
            total += 1
            if nearest is not None:
                other = nearest.keypoints[index]
                distance = ((point.x - other.x) ** 2 + (point.y - other.y) ** 2) ** 0.5
                kept += distance <= _IN_PLACE * size
    return float(kept), float(total)
