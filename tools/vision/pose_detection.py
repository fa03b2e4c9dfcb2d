"""The expert that finds people's poses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.tools.contracts.perceptions import IN_VIEW, Perceptions, Pose
from edgewright.tools.errors import RefusedError
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.perception.needed import DETECTOR, POSE, SECOND_DETECTOR
from edgewright.tools.vision.scene import Scene


class PoseDetector:
    """Finds the pose of each person; implements ``SceneExpert``."""

    id = "pose-detector"
    card = "pose-detection"
    model = PERCEPTION
    approximate = False
    needs = (DETECTOR, SECOND_DETECTOR, POSE)

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the keypoints of each person.

        Raises:
            RefusedError: Nobody is in the image.
        """
        poses = people_in(scene)
        counts = [sum(point.score >= IN_VIEW for point in pose.keypoints) for pose in poses]
        total = len(poses[0].keypoints)
        text = f"One person, with {counts[0]} of {total} joints in view."
        if len(poses) > 1:
            each = ", ".join(map(str, counts[:-1])) + f" and {counts[-1]}"
            text = f"{len(poses)} people, with {each} of {total} joints in view."
        return {
            "text": text,
            "signal": Perceptions.model_validate(scene.evidence("poses")).model_dump_json(
                exclude_none=True
            ),
            "poses": [pose.model_dump(mode="json") for pose in poses],
            "perceptions": scene.evidence("poses"),
        }


def people_in(scene: Scene) -> tuple[Pose, ...]:
    """Return the poses of the people in a scene.

    Raises:
        RefusedError: Nobody is in the image.
    """
    if not scene.poses:
        raise RefusedError(
            "no person was found in this image, so there is no pose; send one that shows somebody"
        )
    return scene.poses
