"""Perceptions survive the wire and refuse what no expert may say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edgewright.tools.contracts.perceptions import (
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Face,
    Keypoint,
    Perceptions,
    Pose,
    SceneLabel,
    TextLine,
)

_COORDINATES = st.floats(-100, 10_000)
_SCORES = st.floats(0, 1)


@st.composite
def _boxes(draw):
    (x0, x1), (y0, y1) = (sorted((draw(_COORDINATES), draw(_COORDINATES))) for _ in range(2))
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


_POSES = st.builds(
    lambda box, score, x, y: Pose(
        box=box,
        score=score,
        keypoints=tuple(Keypoint(name=name, x=x, y=y, score=score) for name in KEYPOINT_NAMES),
    ),
    _boxes(),
    _SCORES,
    _COORDINATES,
    _COORDINATES,
)
_TEXTS = st.builds(
    TextLine,
    text=st.text(),
    score=_SCORES,
    polygon=st.lists(st.tuples(_COORDINATES, _COORDINATES), min_size=3, max_size=6),
)
_PERCEPTIONS = st.builds(
    Perceptions,
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
    objects=st.none()
    | st.lists(st.builds(DetectedObject, label=st.text(), score=_SCORES, box=_boxes()), max_size=3),
    texts=st.none() | st.lists(_TEXTS, max_size=3),
    poses=st.none() | st.lists(_POSES, max_size=2),
    faces=st.none()
    | st.lists(
        st.builds(
            Face,
            box=_boxes(),
            score=_SCORES,
            frontal=st.booleans(),
            expressions=st.dictionaries(st.text(), _SCORES, max_size=3),
        ),
        max_size=2,
    ),
    labels=st.none() | st.lists(st.builds(SceneLabel, label=st.text(), score=_SCORES), max_size=2),
)


@given(_PERCEPTIONS)
def test_json_round_trip(perceptions):
    assert Perceptions.model_validate_json(perceptions.model_dump_json()) == perceptions


@given(_boxes(), _boxes())
def test_overlap_is_symmetric_and_bounded(one, other):
    assert one.iou(other) == other.iou(one)
    assert 0 <= one.iou(other) <= 1 + 1e-9
    assert one.overlap(other) <= min(one.area, other.area) * (1 + 1e-9)


def test_geometry_of_known_boxes():
    one, other = Box(x0=0, y0=0, x1=10, y1=10), Box(x0=5, y0=0, x1=15, y1=10)
    assert one.iou(other) == pytest.approx(1 / 3)
    assert one.centre == (5, 5)
    assert TextLine(text="A", score=1, polygon=((3, 1), (9, 2), (8, 6), (2, 5))).box == Box(
        x0=2, y0=1, x1=9, y1=6
    )


def test_values_no_expert_may_give_are_refused():
    with pytest.raises(ValidationError, match="must not be less"):
        Box(x0=1, y0=0, x1=0, y1=1)
    with pytest.raises(ValidationError):
        Box(x0=math.nan, y0=0, x1=0, y1=1)
    with pytest.raises(ValidationError):
        DetectedObject(label="cat", score=1.5, box=Box(x0=0, y0=0, x1=1, y1=1))


def test_merging_keeps_what_only_one_side_looked_for():
    box = Box(x0=0, y0=0, x1=1, y1=1)
    seen = Perceptions(
        width=9, height=9, objects=(DetectedObject(label="cat", score=0.5, box=box),), texts=()
    )
    merged = seen.merged(Perceptions(width=9, height=9, objects=(), faces=()))
    assert (merged.objects, merged.texts, merged.faces, merged.poses) == ((), (), (), None)
    dog = Perceptions(width=9, height=9, objects=(DetectedObject(label="dog", score=0.5, box=box),))
    both = seen.united(dog).united(seen)
    assert [each.label for each in both.objects or ()] == ["cat", "dog"]
    assert (both.texts, both.faces) == ((), None)
    with pytest.raises(ValueError, match="different sizes"):
        seen.united(Perceptions(width=9, height=8))
    with pytest.raises(ValueError, match="different sizes"):
        seen.merged(Perceptions(width=9, height=8))
