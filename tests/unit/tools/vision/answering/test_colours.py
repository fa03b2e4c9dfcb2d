"""Colours of things: the thing's own, not its background's."""

import pytest
from PIL import Image, ImageDraw

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.answering.answerer import answered
from edgewright.tools.vision.answering.colours import colour_name
from scenes import HEIGHT, WIDTH, scene, thing


def painted(colour, background=(120, 160, 90)):
    image = Image.new("RGB", (WIDTH, HEIGHT), background)
    ImageDraw.Draw(image).ellipse((170, 120, 230, 180), fill=colour)
    return scene(thing("sports ball", 200, 150), image=image)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 20, 30), "red"),
        ((240, 140, 20), "orange"),
        ((240, 220, 40), "yellow"),
        ((30, 70, 200), "blue"),
        ((245, 245, 245), "white"),
        ((15, 15, 15), "black"),
        ((110, 60, 30), "brown"),
        ((120, 40, 160), "purple"),
        ((250, 150, 190), "pink"),
    ],
)
def test_a_colour_is_that_of_the_object_not_of_its_background(rgb, name):
    photograph = painted(rgb)
    assert answered("What colour is the ball?", photograph).short == name
    assert answered(f"Is the ball {name}?", photograph).short == "yes"
    assert answered("Is the ball green?", photograph).short == "no"
    assert answered(f"Is the ball green or {name}?", photograph).short == name
    assert answered(f"Is there a {name} ball?", photograph).short == "yes"
    assert answered("Is there a green ball?", photograph).short == "no"


def test_no_colours_in_black_and_white():
    photograph = scene(
        thing("car", 200, 150), image=Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90))
    )
    assert answered("Is this photo in colour?", photograph).short == "no"
    with pytest.raises(RefusedError) as caught:
        answered("What colour is the car?", photograph)
    assert "black and white" in caught.value.message


def test_a_flower_has_the_colour_that_stands_out_from_the_green():
    meadow = Image.new("RGB", (WIDTH, HEIGHT), (50, 120, 40))
    meadow.paste((240, 220, 40), (0, 0, 270, 200))
    assert answered("What colour is the flower?", scene(image=meadow)).short == "yellow"
    with pytest.raises(RefusedError):
        answered("What colour is the cloud?", scene(image=meadow))


def test_a_vivid_colour_names_a_thing_before_its_black_parts():
    image = Image.new("RGB", (WIDTH, HEIGHT), (200, 200, 190))
    image.paste((20, 20, 20), (150, 100, 250, 200))
    image.paste((200, 20, 30), (170, 120, 230, 165))
    motorcycle = scene(thing("motorcycle", 200, 150, 100), image=image)
    assert answered("What colour is the motorcycle?", motorcycle).short == "red"


def test_clothes_have_the_colour_of_the_part_of_the_body_that_they_cover():
    image = Image.new("RGB", (WIDTH, HEIGHT), (200, 200, 200))
    image.paste((200, 20, 30), (160, 90, 240, 170))
    image.paste((30, 60, 180), (160, 170, 240, 280))
    person = DetectedObject(label="person", score=0.9, box=Box(x0=160, y0=30, x1=240, y1=290))
    dressed = scene(person, image=image)
    assert answered("What colour is the man's shirt?", dressed).short == "red"
    assert answered("What colour are the trousers?", dressed).short == "blue"
    assert answered("What colour is the jacket?", scene()).short == "none"


def test_fur_is_brown_and_not_yellow():
    assert colour_name(57, 6, 31) == "brown"
    assert colour_name(80, 5, 75) == "yellow"


def test_lemons_in_the_shade_are_yellow():
    assert colour_name(52, -2, 31) == "yellow"
