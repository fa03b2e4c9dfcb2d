"""Poses and faces: geometry on outputs written by hand, and real photographs of scikit-image."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from edgewright.tools.contracts.perceptions import (
    IN_VIEW,
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Face,
    Perceptions,
)
from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.facial_expression import ExpressionReader
from edgewright.tools.vision.object_detection import ObjectDetector
from edgewright.tools.vision.perception import people
from edgewright.tools.vision.perception.faces import EXPRESSIONS, faces, is_frontal
from edgewright.tools.vision.perception.needed import (
    DETECTOR,
    EXPRESSION,
    FACE_DETECTOR,
    POSE,
    SECOND_DETECTOR,
)
from edgewright.tools.vision.perception.networks import Networks
from edgewright.tools.vision.perception.people import confirmed, doubted
from edgewright.tools.vision.perception.perceivers import Perceivers
from edgewright.tools.vision.perception.pose import cut_out, poses, square_around
from edgewright.tools.vision.pose_detection import PoseDetector
from edgewright.tools.vision.scene import Scene, Scenes

_PERSON = DetectedObject(label="person", score=0.9, box=Box(x0=100, y0=50, x1=150, y1=250))


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return Scenes(Perceivers(Networks(threads=1), threads=1).by_kind())


def _photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def test_keypoints_are_in_pixels_of_the_image():
    output = np.zeros((1, 1, 17, 3), np.float32)
    output[0, 0, 0] = (0.25, 0.5, 0.8)  # y, x and score of the nose
    dog = DetectedObject(label="dog", score=0.9, box=_PERSON.box)
    (pose,) = poses(lambda pixels: output, Image.new("RGB", (400, 300)), [dog, _PERSON])
    assert [point.name for point in pose.keypoints] == list(KEYPOINT_NAMES)
    nose = pose.keypoints[0]
    # The square around the person is 250 pixels wide, from (0, 25).
    assert (nose.x, nose.y, nose.score) == (125.0, 87.5, pytest.approx(0.8))


def test_a_square_beyond_the_image_is_black_there():
    image = Image.new("RGB", (100, 100), "white")
    cut = cut_out(image, square_around(Box(x0=0, y0=0, x1=20, y1=40), 2.0), 80)
    assert cut.getpixel((5, 5)) == (0, 0, 0)
    assert cut.getpixel((75, 75)) == (255, 255, 255)
    assert cut.getpixel((35, 75)) == (255, 255, 255)  # x = 5 in the image
    assert cut.getpixel((25, 75)) == (0, 0, 0)  # x = -5
    nowhere = cut_out(image, (500.0, 500.0, 10.0), 8)
    assert nowhere.getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize(
    ("nose", "frontal"), [(50, True), (30, True), (72, True), (5, False), (90, False), (130, False)]
)
def test_a_face_is_frontal_if_the_nose_lies_between_the_ears(nose, frontal):
    points = np.array([[35, 40], [65, 40], [nose, 55], [50, 75], [0, 45], [100, 45]], float)
    assert is_frontal(points) is frontal
    turn = np.radians(40)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert is_frontal(points @ rotation) is frontal


def test_a_face_that_is_not_there_from_closer_up_is_none():
    looks = iter([5.0, 0.0])

    def find(pixels):
        output = np.full((1, 896, 17), -20, np.float32)
        output[0, 0, 2:4], output[0, 0, 16] = 30, next(looks)
        return output

    assert faces(find, lambda pixels: pixels, Image.new("RGB", (200, 200)), []) == []


@pytest.fixture
def sure_faces(monkeypatch):
    """Let faces be seen at given places of a 400 x 300 image, with certainty."""

    def at(*places):
        boxes = [Box(x0=x - 20, y0=y - 20, x1=x + 20, y1=y + 20) for x, y in places]
        monkeypatch.setattr(people, "sure_faces", lambda find, image, found: boxes)

    return at


def _someone(x0, y0, x1, y1, score):
    return DetectedObject(label="person", score=score, box=Box(x0=x0, y0=y0, x1=x1, y1=y1))


def test_a_face_confirms_the_person_whose_it_is_and_shows_those_that_were_missed(sure_faces):
    image = Image.new("RGB", (400, 300))
    doubtful, other = _someone(60, 40, 140, 290, 0.4), _someone(0, 0, 400, 300, 0.5)
    dog = DetectedObject(label="dog", score=0.6, box=Box(x0=0, y0=0, x1=9, y1=9))
    sure_faces((100, 70), (320, 80))
    found = confirmed(None, image, [dog, other, doubtful])
    scores = {each.box: each.score for each in found}
    assert scores[doubtful.box] == pytest.approx(0.88)
    assert scores[dog.box] == 0.6
    # The second face is the one of the wide box, which holds it; a third would be nobody's.
    assert len(found) == 3
    sure_faces((200, 60))
    (new,) = confirmed(None, image, [])
    assert (new.label, new.score) == ("person", 0.8)
    assert new.box == Box(x0=140, y0=12, x1=260, y1=220)


def _joints_of(score):
    output = np.full((1, 1, 17, 3), score, np.float32)
    return lambda pixels: output


def test_joints_deny_large_people_in_doubt_and_not_those_who_are_certain():
    image = Image.new("RGB", (400, 300))
    large, small = _someone(0, 0, 300, 300, 0.7), _someone(0, 0, 20, 60, 0.7)
    unlikely = _someone(0, 0, 20, 60, 0.5)
    assert [each.score for each in doubted(_joints_of(0.1), image, [large])] == [0.35]
    assert [each.score for each in doubted(_joints_of(0.1), image, [small])] == [0.7]
    assert [each.score for each in doubted(_joints_of(0.1), image, [unlikely])] == [0.25]
    assert [each.score for each in doubted(_joints_of(0.6), image, [large])] == [0.7]


@pytest.mark.installed(DETECTOR, SECOND_DETECTOR, POSE, FACE_DETECTOR)
def test_each_close_face_is_a_person(scenes):
    head = _photograph("astronaut").crop((120, 0, 330, 210))
    three = Image.new("RGB", (630, 210))
    for position in range(3):
        three.paste(head, (210 * position, 0))
    people_seen = [one for one in scenes.scene(three, "three").objects if one.label == "person"]
    assert len(people_seen) == 3


def _scene(**seen: object) -> Scene:
    known = Perceptions(width=100, height=100, objects=(), **seen)
    return Scene(Image.new("RGB", (100, 100)), {}, known)


def _face(x: float, frontal: bool, scores: dict[str, float]) -> Face:
    box = Box(x0=x, y0=0, x1=x + 40, y1=40)
    return Face(box=box, score=0.9, frontal=frontal, expressions=scores)


def test_expressions_are_told_from_the_left_with_scores_and_profiles_are_refused():
    happy = _face(60, True, {"happy": 0.97, "neutral": 0.02})
    unsure = _face(0, True, {"sad": 0.4, "neutral": 0.35})
    answer = ExpressionReader().answer(_scene(faces=(happy, unsure, _face(50, False, {}))), {})
    assert answer["text"] == (
        "3 faces, from the left: the first may look sad (40 %) or neutral (35 %); the second is "
        "turned away, so its expression is not judged; the third looks happy (97 %)."
    )
    with pytest.raises(RefusedError, match="no face was found"):
        ExpressionReader().answer(_scene(faces=()), {})


@pytest.mark.installed(DETECTOR, SECOND_DETECTOR, POSE)
def test_the_astronauts_pose(scenes):
    answer = PoseDetector().answer(scenes.scene(_photograph("astronaut"), "astronaut"), {})
    (pose,) = answer["poses"]
    points = {point["name"]: point for point in pose["keypoints"]}
    for name, x, y in [
        ("nose", 222, 124),
        ("left eye", 248, 102),
        ("right eye", 201, 101),
        ("left shoulder", 322, 272),
        ("right shoulder", 98, 256),
        ("right elbow", 68, 432),
    ]:
        assert points[name]["score"] >= IN_VIEW
        assert (points[name]["x"], points[name]["y"]) == pytest.approx((x, y), abs=16), name
    assert points["left ankle"]["score"] < IN_VIEW
    assert answer["text"].startswith("One person, with 1")


@pytest.mark.installed(DETECTOR, SECOND_DETECTOR, FACE_DETECTOR, EXPRESSION)
def test_the_astronaut_smiles_and_the_photographer_is_seen_from_the_side(scenes):
    answer = ExpressionReader().answer(scenes.scene(_photograph("astronaut"), "astronaut"), {})
    (face,) = answer["faces"]
    assert next(iter(face["expressions"])) == "happy"
    assert set(face["expressions"]) == set(EXPRESSIONS)
    assert face["box"]["x0"] == pytest.approx(175, abs=15)
    turned = ExpressionReader().answer(scenes.scene(_photograph("camera"), "camera"), {})
    assert turned["text"] == "The face is turned away, so its expression is not judged."


@pytest.mark.installed(DETECTOR, SECOND_DETECTOR)
def test_objects_of_real_photographs(scenes):
    def labels(name: str, wanted: str = "") -> list[str]:
        scene = scenes.scene(_photograph(name), f"{name} objects")
        answer = ObjectDetector().answer(scene, {"objects": wanted})
        return sorted(each["label"] for each in answer["objects"])

    assert labels("chelsea") == ["cat"]
    assert "cup" in labels("coffee")
    assert labels("astronaut", "people") == ["person"]
    assert labels("astronaut", "cars") == []
    assert labels("coins") == []


@pytest.mark.installed(DETECTOR, SECOND_DETECTOR, POSE, FACE_DETECTOR, EXPRESSION)
@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (640, 480)])
def test_nobody_is_in_a_blank_image(scenes, size):
    scene = scenes.scene(Image.new("RGB", size, "white"), f"blank {size}")
    assert ObjectDetector().answer(scene, {})["text"] == (
        "I found no object that the detectors know."
    )
    with pytest.raises(RefusedError, match="no person was found"):
        PoseDetector().answer(scene, {})
    with pytest.raises(RefusedError, match="no face was found"):
        ExpressionReader().answer(scene, {})
