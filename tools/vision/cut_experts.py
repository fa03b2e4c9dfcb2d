"""Experts that read one network's output, so that the network can be cut between nodes.

The whole scene is seen better by experts with several networks; these need one, which a device and
a server can share. They see the image stretched to the network's input, and return coordinates as
shares of the image, which the node scales to pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgewright.tools.contracts.perceptions import (
    IN_VIEW,
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Keypoint,
    Perceptions,
    Pose,
)
from edgewright.tools.models.adapter import Features
from edgewright.tools.vision.object_detection import counted, is_wanted
from edgewright.tools.vision.perception.boxes import Detections, Floats

#: Sizes that make pixels of shares.
_WHOLE = (1, 1)


class CutDetector:
    """Finds objects with one detector; implements ``OutputExpert``.

    Args:
        model: Name of the detector in the catalogue.
        read: Interprets its output; see ``detectors.nanodet_output``.
        threshold: Least score of an object.
    """

    card = "object-detection"
    approximate = True

    def __init__(
        self,
        model: str,
        read: Callable[[Floats, tuple[int, int]], Detections],
        *,
        threshold: float,
    ) -> None:
        self.id = f"{model}-detector"
        self.model = model
        self._read = read
        self._threshold = threshold

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the objects with boxes and scores, and a sentence that counts them."""
        found = self._read(output[0], _WHOLE)
        wanted = args.get("objects", "")
        objects = tuple(
            DetectedObject(label=str(label), score=round(float(score), 4), box=_box(box))
            for box, score, label in sorted(
                zip(found.boxes, found.scores, found.labels, strict=True),
                key=lambda one: -float(one[1]),
            )
            if score >= self._threshold and is_wanted(str(label), wanted)
        )
        seen = Perceptions(width=1, height=1, objects=objects)
        answer = {"text": counted(objects, wanted.strip(), _WHOLE), "objects": []}
        return seen.in_output(answer)


class CutPoseDetector:
    """Finds the pose of the one person in an image; implements ``OutputExpert``.

    Args:
        model: Name of the pose network in the catalogue.
    """

    card = "pose-detection"
    approximate = True

    def __init__(self, model: str) -> None:
        self.id = f"{model}-detector"
        self.model = model

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def postprocess(self, output: Features, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the keypoints of the most prominent person; none if nobody seems to be there."""
        values = np.clip(output.reshape(len(KEYPOINT_NAMES), 3), 0, 1)
        keypoints = tuple(
            Keypoint(name=name, x=float(x), y=float(y), score=round(float(score), 4))
            for name, (y, x, score) in zip(KEYPOINT_NAMES, values, strict=True)
        )
        in_view = [point for point in keypoints if point.score >= IN_VIEW]
        poses: tuple[Pose, ...] = ()
        text = "No person was found in this image."
        if len(in_view) >= _FEWEST:
            around = Box(
                x0=min(point.x for point in in_view),
                y0=min(point.y for point in in_view),
                x1=max(point.x for point in in_view),
                y1=max(point.y for point in in_view),
            )
            score = round(sum(point.score for point in in_view) / len(in_view), 4)
            poses = (Pose(box=around, score=score, keypoints=keypoints),)
            text = f"One person, with {len(in_view)} of {len(keypoints)} joints in view."
        seen = Perceptions(width=1, height=1, poses=poses)
        return seen.in_output({"text": text, "poses": []})


#: With fewer joints in view, nobody is taken to be there.
_FEWEST = 4


def _box(corners: Floats) -> Box:
    x0, y0, x1, y1 = (float(value) for value in corners)
    return Box(x0=x0, y0=y0, x1=max(x0, x1), y1=max(y0, y1))
