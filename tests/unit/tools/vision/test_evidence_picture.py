"""The evidence picture is legible at any size, and shows what was seen where it was seen."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from edgewright.tools.contracts.perceptions import (
    KEYPOINT_NAMES,
    Box,
    DetectedObject,
    Face,
    Keypoint,
    Perceptions,
    Pose,
    TextLine,
)
from edgewright.tools.vision.drawing.canvas import Canvas, captioned, drawable, font, side_by_side
from edgewright.tools.vision.drawing.evidence import evidence_picture


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


def _seen(width: int, height: int) -> Perceptions:
    """Return perceptions of every kind, in an image of a size."""
    x, y = width / 10, height / 10
    points = tuple(
        Keypoint(name=name, x=(5 + i % 4) * x, y=(2 + i / 4) * y, score=0.1 if i == 16 else 0.9)
        for i, name in enumerate(KEYPOINT_NAMES)
    )
    return Perceptions(
        width=width,
        height=height,
        objects=(DetectedObject(label="teapot", score=0.8, box=_box(x, y, 3 * x, 4 * y)),),
        texts=(
            TextLine(
                text="EXIT",
                score=0.9,
                polygon=((x, 6 * y), (3 * x, 6 * y), (3 * x, 7 * y), (x, 7 * y)),
            ),
        ),
        poses=(Pose(box=_box(5 * x, 2 * y, 8 * x, 7 * y), score=0.9, keypoints=points),),
        faces=(
            Face(
                box=_box(6 * x, y, 7 * x, 2 * y), score=0.9, frontal=True, expressions={"sad": 0.7}
            ),
        ),
    )


@pytest.mark.parametrize("size", [(1, 1), (30, 20), (640, 480), (6000, 4000), (40, 3000)])
def test_pictures_of_any_size_are_drawn_at_a_legible_one(size):
    image = Image.new("RGB", size, "grey")
    picture = evidence_picture(image, _seen(*size))
    assert 720 <= max(picture.size) <= 1800
    assert picture.getcolors(1000) != [(picture.width * picture.height, (128, 128, 128))]
    assert image.getextrema() == ((128, 128),) * 3  # the photograph itself is left alone


def test_each_kind_is_drawn_where_it_was_seen():
    image = Image.new("RGB", (1000, 1000), "grey")
    seen = _seen(500, 500)  # in the pixels of the same image at half its size
    for kind, area in {
        "objects": (90, 60, 310, 410),
        "texts": (90, 590, 400, 730),
        "poses": (490, 160, 810, 710),
        "faces": (590, 60, 720, 210),
    }.items():
        only = seen.model_copy(
            update={name: None for name in ("objects", "texts", "poses", "faces") if name != kind}
        )
        changed = ImageChops.difference(image, evidence_picture(image, only)).getbbox()
        assert changed is not None
        assert changed[0] >= area[0] and changed[1] >= area[1], (kind, changed)
        assert changed[2] <= area[2] and changed[3] <= area[3], (kind, changed)
    nothing = Perceptions(width=500, height=500)
    assert ImageChops.difference(image, evidence_picture(image, nothing)).getbbox() is None


def test_labels_do_not_cover_each_other():
    canvas = Canvas(Image.new("RGB", (900, 900)))
    for _ in range(8):
        canvas.label("the same place", (100, 100), (240, 228, 66))
    labels = canvas._labels
    assert len({box[1] for box in labels}) == 8
    ordered = sorted(labels, key=lambda box: box[1])
    assert all(one[3] <= other[1] for one, other in itertools.pairwise(ordered))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(1, 900))
def test_captions_fit_below_the_picture(text, width):
    picture = captioned(Image.new("RGB", (width, 10), "red"), text)
    pixels = np.asarray(picture)
    if not text.strip():
        assert picture.size == (width, 10)
        return
    assert picture.width == max(width, 360)
    margin = pixels[10:, picture.width - 6 :]
    assert (margin == margin[0, 0]).all()  # nothing is cut off on the right
    assert (pixels[-4:] == pixels[-1, -1]).all()  # nor below


def test_characters_that_the_font_lacks_are_replaced():
    assert drawable("plain text, 98 %") == "plain text, 98 %"
    assert drawable("caf\u00e9") in ("caf\u00e9", "cafe")
    assert drawable("two \u4e66 here") == "two ? here"
    assert drawable("left \u2014 right") in ("left \u2014 right", "left - right")
    for character in "\u2013\u2014\u2018\u2019\u201c\u201d\u2026":
        assert "?" not in drawable(character)


def test_letters_have_the_height_that_was_asked_for():
    left, top, right, bottom = font(40).getbbox("Hg")
    assert 28 <= bottom - top <= 48
    assert right > left


def test_panels_stand_beside_each_other_unless_they_are_wide():
    high, wide = Image.new("RGB", (100, 200)), Image.new("RGB", (900, 100))
    assert side_by_side([high, high]).size == (212, 200)
    assert side_by_side([wide, wide]).size == (900, 212)
    assert side_by_side([high]).size == (100, 200)
