"""Scoring of joints and words, and the images that it is done on."""

import pytest
from PIL import Image

from edgewright.benchmarks.experts.joints import right_joints, views
from edgewright.benchmarks.experts.words import signs, words_read
from edgewright.tools.contracts.perceptions import Box, Keypoint, Pose

_BOX = Box(x0=0, y0=0, x1=50, y1=100)


def _pose(**points: tuple[float, float, float]) -> Pose:
    keypoints = tuple(
        Keypoint(name=name.replace("_", " "), x=x, y=y, score=score)
        for name, (x, y, score) in points.items()
    )
    return Pose(box=_BOX, score=0.9, keypoints=keypoints)


def test_a_joint_is_right_if_it_is_close_and_in_view():
    people = [{"nose": (10, 10), "left hip": (20, 50), "left knee": (20, 80)}]
    pose = _pose(nose=(15, 15, 0.9), left_hip=(29, 50, 0.9), left_knee=(20, 80, 0.2))
    assert right_joints(people, [pose]) == [["nose"]]
    assert right_joints(people, []) == [[]]


def test_each_pose_counts_for_one_person_only():
    person = {"nose": (10, 10)}
    pose = _pose(nose=(10, 10, 0.9))
    assert right_joints([person, person], [pose]) == [["nose"], []]
    assert right_joints([person, person], [pose, pose]) == [["nose"], ["nose"]]


def test_variants_move_the_joints_with_the_pixels():
    image = Image.new("RGB", (101, 61))
    image.putpixel((80, 20), (255, 0, 0))
    found = {view.name: view for view in views("x", image, [{"left wrist": (80, 20)}])}
    assert list(found) == ["x", "x, mirrored", "x, half size", "x, dark"]
    mirrored = found["x, mirrored"]
    (joints,) = mirrored.people
    assert joints == {"right wrist": (20, 20)}
    assert mirrored.image.getpixel((20, 20)) == (255, 0, 0)
    assert found["x, half size"].people == ({"left wrist": (40, 10)},)
    assert found["x, dark"].image.getpixel((80, 20))[0] == pytest.approx(89, abs=1)


def test_twenty_signs_are_the_same_each_time():
    backgrounds = [Image.new("RGB", (60, 40), colour) for colour in ("green", "grey")]
    once, again = list(signs(backgrounds)), list(signs(backgrounds))
    assert len(once) == 20
    assert all(
        one.image.tobytes() == other.image.tobytes()
        for one, other in zip(once, again, strict=False)
    )
    assert once[0].words == ("PLATFORM", "4", "Trains", "to", "Harwich")


def test_a_word_that_was_read_counts_once():
    assert words_read(["Car", "Parks", "Centre", "Centre"], ["Centre", "Parks", "car"]) == 2
