"""What the detectors' outputs mean, on outputs that are written by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.vision.labels import vocabulary
from edgewright.tools.vision.object_detection import is_wanted
from edgewright.tools.vision.perception.detectors import coco_names, nanodet, ssd
from edgewright.tools.vision.perception.objects import ObjectFinder, convincing, parts_of

_GREY = Image.new("RGB", (416, 416), "grey")


def _nanodet_output(cells):
    """Return an output with an object of a class in each cell ``(row, class, score, bins)``."""
    output = np.zeros((1, 3549, 124), np.float32)
    for row, label, score, bins in cells:
        output[0, row, label] = score
        output[0, row, 80:].reshape(4, 11)[np.arange(4), bins] = 50
    return output


def test_nanodet_boxes_reach_as_far_as_their_distributions_say():
    row = 52 * 52 + 10 * 26 + 5  # stride 16, cell (5, 10): its centre is (88, 168)
    output = _nanodet_output([(row, 16, 0.9, [1, 2, 3, 4])])
    found = nanodet(lambda pixels: output, _GREY)
    assert (list(found.labels), found.scores) == (["dog"], pytest.approx([0.9]))
    assert found.boxes[0] == pytest.approx([88 - 16, 168 - 32, 88 + 48, 168 + 64], abs=0.01)


def test_nanodet_gets_plain_pixels_in_order():
    def run(pixels):
        assert pixels.shape == (1, 3, 416, 416)
        assert pixels[0, :, 0, 0].tolist() == [255, 128, 0]
        return _nanodet_output([])

    assert len(nanodet(run, Image.new("RGB", (416, 416), (255, 128, 0)))) == 0


def test_ssd_boxes_are_anchors_moved_and_stretched():
    output = np.full((1, 1917, 28), -20, np.float32)
    output[0, :, :4] = 0
    index = 19 * 19 * 3 + (4 * 10 + 6) * 6  # second grid, cell (6, 4): anchor 0.35, ratio 1
    output[0, index, 4 + 8] = 3  # class 8 is "cat"
    output[0, index, :4] = [5, 0, 5 * np.log(2), 0]  # half its height down, twice as high
    found = ssd(lambda pixels: output, Image.new("RGB", (100, 200)))
    assert list(found.labels) == ["cat"]
    y, x = 0.45 + 0.5 * 0.35, 0.65
    expected = [(x - 0.175) * 100, (y - 0.35) * 200, (x + 0.175) * 100, (y + 0.35) * 200]
    assert found.boxes[0] == pytest.approx(expected, abs=0.1)


@given(st.integers(1, 6000), st.integers(1, 6000))
def test_parts_cover_large_images(width, height):
    parts = parts_of(width, height)
    assert bool(parts) == (max(width, height) >= 700)
    if parts:
        assert min(part[0] for part in parts) == min(part[1] for part in parts) == 0
        assert max(part[2] for part in parts) == width
        assert max(part[3] for part in parts) == height
        assert len(parts) in (2, 4)
        assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in parts)


@pytest.mark.parametrize(("bins", "score", "looks"), [(1, 0.3, 3), (1, 0.12, 1), (10, 0.9, 1)])
def test_parts_are_looked_at_where_something_small_may_be_there(bins, score, looks):
    seen = []

    def first(pixels):
        seen.append(pixels)
        return _nanodet_output([(52 * 52 + 26 * 26 + 6 * 13 + 6, 16, score, [bins] * 4)])

    silent = np.full((1, 1917, 28), -20, np.float32)
    ObjectFinder(first, lambda pixels: silent, None).candidates(Image.new("RGB", (1200, 800)))
    assert len(seen) == looks


def test_the_classifier_is_not_asked_about_small_things_that_it_does_not_know():
    asked = []

    def classify(image):
        asked.append(image)
        return _certain_of("banana", 0.5)

    silent = np.full((1, 1917, 28), -20, np.float32)
    person, dog = (52 * 52 + 26 * 26 + 84, 0, 0.8, [1] * 4), (10 * 26 + 52 * 52, 16, 0.8, [1] * 4)
    finder = ObjectFinder(lambda pixels: _nanodet_output([person, dog]), lambda x: silent, classify)
    finder.candidates(_GREY)
    assert len(asked) == 1


def _finder(cells, probabilities):
    silent = np.full((1, 1917, 28), -20, np.float32)
    return ObjectFinder(
        lambda pixels: _nanodet_output(cells), lambda pixels: silent, lambda image: probabilities
    )


def _certain_of(label, share=0.95):
    names = vocabulary().labels
    probabilities = [(1 - share) / len(names)] * len(names)
    probabilities[names.index(label)] += share
    return probabilities


_LARGE_BOX = (52 * 52 + 26 * 26 + 6 * 13 + 6, [5, 5, 5, 5])


def test_the_classifier_overrules_a_doubtful_detection():
    row, bins = _LARGE_BOX
    vase = [(row, 75, 0.6, bins)]
    assert [o.label for o in _finder(vase, _certain_of("Granny Smith")).objects(_GREY)] == ["apple"]
    assert _finder(vase, _certain_of("nail", 0.0)).objects(_GREY) == ()
    (seen,) = _finder(vase, _certain_of("vase")).objects(_GREY)
    assert (seen.label, seen.score > 0.9) == ("vase", True)


def test_a_person_stays_a_person_whatever_he_holds_but_an_animal_does_not():
    row, bins = _LARGE_BOX
    person = [(row, 0, 0.8, bins)]
    assert [o.label for o in _finder(person, _certain_of("tripod")).objects(_GREY)] == ["person"]
    assert [o.label for o in _finder(person, _certain_of("tabby")).objects(_GREY)] == ["cat"]


def test_without_a_classifier_the_detectors_decide():
    row, bins = _LARGE_BOX
    silent = np.full((1, 1917, 28), -20, np.float32)
    output = _nanodet_output([(row, 0, 0.8, bins)])
    finder = ObjectFinder(lambda pixels: output, lambda pixels: silent, None)
    (person,) = finder.objects(Image.new("RGB", (500, 500)))
    assert person.label == "person"
    assert person.box.width == pytest.approx(320 / 416 * 500, rel=0.01)


@pytest.mark.parametrize(
    ("label", "wanted", "expected"),
    [
        ("car", "", True),
        ("car", "all objects", True),
        ("car", "cars and people", True),
        ("person", "cars and people", True),
        ("dog", "cars and people", False),
        ("dog", "animals", True),
        ("car", "any vehicle", True),
        ("person", "the women", True),
        ("bus", "buses", True),
        ("orange", "fruit", True),
        ("couch", "furniture", True),
        ("cat", "kittens", True),
        ("cat", "cattle", False),
        ("airplane", "unicorns", False),
    ],
)
def test_kinds_of_objects_are_named_as_people_do(label, wanted, expected):
    assert is_wanted(label, wanted) is expected


def test_names_of_classes_are_complete():
    assert len(coco_names()) == 80
    assert len(set(coco_names())) == 80


@pytest.mark.parametrize(("label", "named"), [("butterfly", True), ("comic book", False)])
def test_labels_of_what_is_printed_name_no_object(label, named):
    label = "monarch" if label == "butterfly" else label
    cell = (52 * 52 + 26 * 26 + 84, 55, 0.6, [5] * 4)  # a cake, to the detector
    found = _finder([cell], _certain_of(label)).candidates(_GREY)
    assert (found[0].label != "cake") is named


def _person(x0, y0, x1, y1, score):
    return DetectedObject(label="person", score=score, box=Box(x0=x0, y0=y0, x1=x1, y1=y1))


def test_one_animal_in_two_boxes_is_one_and_parts_of_people_are_nobody():
    cat = DetectedObject(label="cat", score=0.9, box=Box(x0=0, y0=0, x1=100, y1=100))
    lower = DetectedObject(label="cat", score=0.6, box=Box(x0=0, y0=35, x1=100, y1=135))
    assert convincing([cat, lower]) == (cat,)
    beside = DetectedObject(label="cat", score=0.6, box=Box(x0=60, y0=0, x1=160, y1=100))
    assert convincing([cat, beside]) == (cat, beside)
    left, right = _person(0, 0, 100, 200, 0.9), _person(110, 0, 210, 200, 0.8)
    assert convincing([left, right, _person(20, 0, 190, 150, 0.55)]) == (left, right)
    assert convincing([left, _person(0, 0, 220, 200, 0.59), _person(115, 0, 205, 200, 0.57)]) == (
        left,
        _person(115, 0, 205, 200, 0.57),
    )
    third = _person(80, 0, 300, 200, 0.55)
    assert convincing([left, right, third]) == (left, right, third)
