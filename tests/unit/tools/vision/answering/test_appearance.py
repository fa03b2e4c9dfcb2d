"""How an image looks as a whole, on images that are made to look so."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.answering.answerer import EvidenceAnswerer
from edgewright.tools.vision.answering.appearance import blur, lightness, medium
from edgewright.tools.vision.answering.captions import EvidenceCaptioner
from scenes import scene, thing


def textured(mean, spread=30, size=(300, 200)):
    """Return an image with the noise of a camera, sharp, of a mean grey value."""
    values = np.random.default_rng(1).normal(mean, spread, (size[1], size[0], 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def tiled():
    """Return an image with the edges of many things, sharp."""
    values = np.random.default_rng(2).integers(0, 255, (12, 18), np.uint8)
    return Image.fromarray(values.repeat(25, 0).repeat(25, 1)).convert("RGB")


def drawn(background="blue", shape="red"):
    image = Image.new("RGB", (300, 200), background)
    ImageDraw.Draw(image).ellipse((100, 50, 200, 150), fill=shape)
    return image


def asked(question, image, *things):
    return EvidenceAnswerer().answer(scene(*things, image=image), {"question": question})


@pytest.mark.parametrize(
    ("question", "image", "short"),
    [
        ("Is it dark?", textured(25), "yes"),
        ("Is it dark?", textured(240), "no"),
        ("Is it dark or bright?", textured(240), "bright"),
        ("Is it dark or bright?", textured(118), "neither"),
        ("Is the photo well lit?", textured(25), "no"),
        ("How bright is it?", textured(25), "dark"),
        ("Is it blurry?", tiled(), "no"),
        ("Is it blurry?", tiled().filter(ImageFilter.GaussianBlur(5)), "yes"),
        ("Is it sharp or blurred?", tiled(), "sharp"),
        ("Is it a drawing or a photo?", drawn(), "drawing"),
        ("Is it a drawing or a photo?", textured(120), "photograph"),
        ("Is this a photo?", drawn(), "no"),
        ("How many colours are there?", drawn(), "2"),
        ("Is there anything red?", drawn(), "yes"),
        ("Is there anything green?", drawn(), "no"),
        ("Is there nothing green?", drawn(), "yes"),
        ("Is it mostly blue?", drawn(), "yes"),
        ("Is it mostly red?", drawn(), "no"),
        ("What colour is the background?", drawn("green"), "green"),
        ("Is the background white?", drawn("green"), "no"),
    ],
)
def test_the_whole_image(question, image, short):
    assert asked(question, image)["answer"] == short


def test_a_neighbouring_colour_is_said_to_be_near():
    image = Image.new("RGB", (300, 200), (120, 60, 200))
    assert asked("Is the picture mostly purple?", image)["text"].startswith("Yes: ")
    assert asked("Is the picture mostly blue?", image)["text"].startswith("Yes, nearly: ")
    assert asked("Is the picture mostly green?", image)["text"].startswith("No: ")


@pytest.mark.parametrize(
    ("question", "small", "large"),
    [
        ("Which has the most cars?", scene(), scene(thing("car", 200, 150))),
        ("Which is brighter?", scene(image=textured(40)), scene(image=textured(120))),
        ("Which is darker?", scene(image=textured(120)), scene(image=textured(40))),
        (
            "Which is sharper?",
            scene(image=tiled().filter(ImageFilter.GaussianBlur(3))),
            scene(image=tiled()),
        ),
        ("Which is bigger?", scene(image=drawn().resize((30, 20))), scene(image=drawn())),
    ],
)
def test_what_wins_a_comparison_has_the_greater_measure(question, small, large):
    less, more = (
        EvidenceAnswerer().answer(each, {"question": question})["comparison"]
        for each in (small, large)
    )
    assert less["best"] == more["best"]
    assert less["measure"] < more["measure"]


def test_things_do_not_belong_to_the_background():
    image = Image.new("RGB", (400, 300), "green")
    ImageDraw.Draw(image).rectangle((0, 60, 400, 300), fill="red")
    car = DetectedObject(label="car", score=0.9, box=Box(x0=0, y0=60, x1=400, y1=300))
    sky = car.model_copy(update={"box": Box(x0=0, y0=0, x1=400, y1=60)})
    assert asked("What colour is the background?", image)["answer"] == "red"
    assert asked("What colour is the background?", image, car)["answer"] == "green"
    with pytest.raises(RefusedError, match="things cover the background"):
        asked("What colour is the background?", image, car, sky)


def test_what_cannot_be_told_is_not_guessed():
    with pytest.raises(RefusedError, match="blank"):
        asked("Is it a photo?", Image.new("RGB", (60, 40), "white"))
    halves = textured(120)
    halves.paste(Image.new("RGB", (1, 200)).resize((150, 200)), (150, 0))
    gradient = np.linspace(0, 255, 200).astype(np.uint8)[:, None].repeat(150, 1)
    halves.paste(Image.fromarray(gradient), (150, 0))
    assert medium(halves) == ""
    with pytest.raises(RefusedError, match="may be a drawing or a photograph"):
        asked("Is it a photo?", halves)


def test_more_blur_and_more_light_measure_as_more():
    blurs = [blur(tiled().filter(ImageFilter.GaussianBlur(r))) for r in (0, 1, 2, 4)]
    assert blurs == sorted(blurs)
    assert lightness(textured(40)) < lightness(textured(120)) < lightness(textured(200))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 3)])
def test_images_of_a_few_pixels(size):
    image = Image.new("RGB", size, "red")
    assert 0 <= blur(image) <= 1
    assert medium(image) == "blank"


def test_a_caption_says_photograph_only_of_one():
    assert EvidenceCaptioner().answer(scene(image=drawn()), {})["text"].startswith("An image")
    photograph = EvidenceCaptioner().answer(scene(image=textured(120)), {})["text"]
    assert "photograph" in photograph
