"""Experts that read one network's output, in shares of the image."""

import numpy as np
import pytest

from edgewright.tools.vision.cut_experts import CutDetector, CutPoseDetector
from edgewright.tools.vision.perception.boxes import Detections
from edgewright.tools.vision.perception.detectors import nanodet_output


def read(output, size):
    assert size == (1, 1)
    return Detections(
        np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.9, 1.0], [0, 0, 1, 1]], np.float32),
        np.array([0.6, 0.8, 0.3], np.float32),
        np.array(["cat", "person", "dog"]),
    )


@pytest.fixture
def detector():
    return CutDetector("some", read, threshold=0.4)


def test_objects_above_the_threshold_best_first(detector):
    found = detector.postprocess(np.zeros((1, 1), np.float32), {})
    assert found["text"] in ("Found one person and one cat.", "Found one cat and one person.")
    assert [each["label"] for each in found["objects"]] == ["person", "cat"]
    seen = found["perceptions"]
    assert (seen["width"], seen["height"]) == (1, 1)
    assert seen["objects"] == found["objects"]
    assert found["objects"][1]["box"]["x1"] == pytest.approx(0.3)


def test_only_the_kinds_that_were_named(detector):
    found = detector.postprocess(np.zeros((1, 1), np.float32), {"objects": "cats"})
    assert [each["label"] for each in found["objects"]] == ["cat"]
    none = detector.postprocess(np.zeros((1, 1), np.float32), {"objects": "zebras"})
    assert none["objects"] == []
    assert none["perceptions"]["objects"] == []


def test_nanodets_output_in_shares_of_the_image():
    output = np.full((1, 3549, 124), -20, np.float32)
    output[..., :80] = 0
    cell = 52 * 52 + 26 * 26 + 6 * 13 + 6  # the middle of the coarsest grid
    output[0, cell, 0] = 0.9
    for side in range(4):
        output[0, cell, 80 + 11 * side + 2] = 20  # two strides of 32 pixels to each side
    (person,) = CutDetector("nanodet", nanodet_output, threshold=0.4).postprocess(output, {})[
        "objects"
    ]
    assert person["label"] == "person"
    assert person["box"]["x0"] == pytest.approx((208 - 64) / 416)
    assert person["box"]["y1"] == pytest.approx((208 + 64) / 416)


def test_one_persons_joints_or_nobody():
    expert = CutPoseDetector("movenet-thunder")
    output = np.zeros((1, 1, 17, 3), np.float32)
    assert expert.postprocess(output, {})["poses"] == []
    output[..., 0], output[..., 1], output[..., 2] = 0.5, np.linspace(0.2, 0.8, 17), 0.9
    found = expert.postprocess(output, {})
    assert found["text"] == "One person, with 17 of 17 joints in view."
    (pose,) = found["poses"]
    assert pose["box"]["x0"] == pytest.approx(0.2)
    assert (pose["keypoints"][0]["x"], pose["keypoints"][0]["y"]) == pytest.approx((0.2, 0.5))
