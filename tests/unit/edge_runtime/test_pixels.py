"""Perceptions come back in pixels of the image that was sent."""

from io import BytesIO

import pytest
from PIL import Image

from edgewright.edge_runtime.execution.pixels import in_pixels
from edgewright.tools.contracts.perceptions import Box, DetectedObject, Perceptions


def encoded(orientation=None):
    data = BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", (200, 100)).save(data, "jpeg", exif=exif)
    return data.getvalue()


def seen(width, height):
    box = Box(x0=0.5 * width, y0=0, x1=width, y1=0.5 * height)
    cat = DetectedObject(label="cat", score=0.9, box=box)
    found = Perceptions(width=width, height=height, objects=(cat,))
    return found.in_output({"text": "Found 1 cat.", "objects": []})


@pytest.mark.parametrize("size", [(1, 1), (416, 416), (200, 100)])
def test_any_size_becomes_that_of_the_image(size):
    output = in_pixels(seen(*size), encoded())
    expected = {"x0": 100, "y0": 0, "x1": 200, "y1": 50}
    assert output["perceptions"]["objects"][0]["box"] == pytest.approx(expected)
    assert output["objects"] == output["perceptions"]["objects"]
    assert (output["perceptions"]["width"], output["perceptions"]["height"]) == (200, 100)


def test_an_image_that_lies_on_its_side_is_meant_upright():
    output = in_pixels(seen(1, 1), encoded(orientation=6))
    assert output["objects"][0]["box"] == pytest.approx({"x0": 50, "y0": 0, "x1": 100, "y1": 100})


def test_other_outputs_stay_as_they_are():
    output = {"text": "cat", "labels": []}
    assert in_pixels(output, b"no image at all") is output
