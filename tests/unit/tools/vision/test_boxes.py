"""Suppression and fusion of boxes, against plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.contracts.perceptions import Box
from edgewright.tools.vision.perception.boxes import Detections, fused, iou, suppressed

_SIDES = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30))


def _detections(rows):
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], dtype=np.str_),
    )


_FOUND = st.lists(
    st.tuples(
        _SIDES.map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]),
        st.floats(0.0625, 1, width=32),
        st.sampled_from(["cat", "dog"]),
    ),
    max_size=8,
).map(_detections)


@given(_FOUND)
def test_iou_equals_that_of_the_contract(found):
    boxes = [Box(x0=b[0], y0=b[1], x1=b[2], y1=b[3]) for b in found.boxes.tolist()]
    for own, corners in zip(boxes, found.boxes, strict=True):
        assert iou(corners, found.boxes) == pytest.approx([own.iou(each) for each in boxes])


@given(_FOUND)
def test_suppression_keeps_the_best_of_each_place(found):
    kept = suppressed(found, max_iou=0.5)
    assert list(kept.scores) == sorted(kept.scores, reverse=True)
    for index in range(len(kept)):
        same = kept.labels == kept.labels[index]
        same[index] = False
        assert (iou(kept.boxes[index], kept.boxes[same]) <= 0.5).all()
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        better = (kept.labels == label) & (kept.scores >= score)
        covered = iou(box, kept.boxes[better]) > 0.5
        assert covered.any() or any((box == each).all() for each in kept.boxes)


@given(_FOUND, _FOUND)
def test_fusion_loses_no_place_and_its_scores_stay_probabilities(one, other):
    merged = fused([one, other], trust=0.8, min_iou=0.5)
    assert len(merged) <= len(one) + len(other)
    assert ((merged.scores >= 0) & (merged.scores <= 1)).all()
    assert set(merged.labels) == set(one.labels) | set(other.labels)


def test_two_witnesses_are_more_certain_than_one_and_meet_between_their_boxes():
    one = _detections([([0, 0, 10, 10], 0.5, "cat"), ([50, 50, 60, 60], 0.5, "cat")])
    other = _detections([([2, 0, 12, 10], 0.5, "cat"), ([50, 50, 60, 60], 0.5, "dog")])
    merged = fused([one, other], trust=0.8, min_iou=0.5)
    assert merged.scores == pytest.approx([1 - 0.6 * 0.6, 0.4, 0.4])
    assert merged.boxes[0] == pytest.approx([1, 0, 11, 10])
    assert sorted(merged.labels) == ["cat", "cat", "dog"]


def test_two_boxes_of_one_detector_are_one_witness():
    twice = _detections([([0, 0, 10, 10], 0.5, "cat"), ([0, 0, 10, 9], 0.4, "cat")])
    merged = fused([twice, _detections([])], trust=1.0, min_iou=0.5)
    assert merged.scores == pytest.approx([0.5])
