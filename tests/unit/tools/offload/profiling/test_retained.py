"""How much of an output an encoding keeps."""

import pytest

from edgewright.tools.contracts.perceptions import (
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Keypoint,
    Perceptions,
    Pose,
)
from edgewright.tools.offload.profiling.retained import overlap, retained


def box(x0, y0, x1, y1):
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


def objects(*found):
    seen = tuple(DetectedObject(label=label, score=0.9, box=box(*at)) for label, *at in found)
    return Perceptions(width=100, height=100, objects=seen).in_output({"text": ""})


def pose(*, moved=0.0, hidden=()):
    keypoints = tuple(
        Keypoint(name=name, x=10 + index + moved, y=50, score=0.0 if index in hidden else 0.9)
        for index, name in enumerate(KEYPOINT_NAMES)
    )
    person = Pose(box=box(0, 0, 50, 100), score=0.9, keypoints=keypoints)
    return Perceptions(width=100, height=100, poses=(person,)).in_output({"text": ""})


def test_boxes_overlap_by_their_common_share():
    assert overlap(box(0, 0, 10, 10), box(0, 0, 10, 10)) == 1
    assert overlap(box(0, 0, 10, 10), box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap(box(0, 0, 10, 10), box(20, 0, 30, 10)) == 0
    assert overlap(box(1, 1, 1, 1), box(1, 1, 1, 1)) == 0


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([("cat", 0, 0, 10, 10), ("dog", 50, 50, 90, 90)], (2, 2)),
        ([("cat", 0, 0, 10, 10)], (1, 2)),  # one is lost
        ([("cat", 0, 0, 10, 10), ("cat", 50, 50, 90, 90)], (1, 2)),  # another label
        ([("cat", 6, 0, 16, 10), ("dog", 52, 50, 90, 90)], (1, 2)),  # moved too far
        ([("cat", 0, 0, 10, 10), ("dog", 50, 50, 90, 90), ("cup", 0, 0, 5, 5)], (2, 3)),  # invented
        ([("cat", 0, 0, 10, 10), ("cat", 0, 0, 10, 10), ("dog", 50, 50, 90, 90)], (2, 3)),  # twice
        ([], (0, 2)),
    ],
)
def test_objects_are_matched_by_label_and_overlap(found, kept):
    expected = objects(("cat", 0, 0, 10, 10), ("dog", 50, 50, 90, 90))
    assert retained(expected, objects(*found)) == kept


def test_nothing_to_compare_counts_as_nothing():
    assert retained(objects(), objects()) == (0, 0)
    assert retained(objects(), objects(("cat", 0, 0, 1, 1))) == (0, 1)


def test_joints_are_kept_within_a_twentieth_of_the_person():
    assert retained(pose(), pose()) == (17, 17)
    assert retained(pose(), pose(moved=4.9)) == (17, 17)
    assert retained(pose(), pose(moved=5.1)) == (0, 17)
    assert retained(pose(hidden=(0, 1)), pose(moved=1)) == (15, 15)
    nobody = Perceptions(width=100, height=100, poses=()).in_output({"text": ""})
    assert retained(pose(), nobody) == (0, 17)


def test_labels_count_by_their_scores_and_texts_by_being_equal():
    labels = [{"label": "cat", "score": 0.5}, {"label": "dog", "score": 0.4}]
    expected = {"text": "cat", "labels": labels}
    assert retained(expected, {"text": "dog", "labels": labels[::-1]}) == (0.4, 0.5)
    assert retained({"text": "a"}, {"text": "a"}) == (1, 1)
    assert retained({"text": "a"}, {"text": "b"}) == (0, 1)
