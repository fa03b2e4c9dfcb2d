"""Captions name what experts saw, and nothing else."""

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.contracts.perceptions import (
    Box,
    DetectedObject,
    Face,
    Perceptions,
    SceneLabel,
    TextLine,
)
from edgewright.tools.vision.answering.captions import EvidenceCaptioner, captioned
from edgewright.tools.vision.scene import Scene


def thing(label, x0, y0, x1, y1, score=0.9):
    return DetectedObject(label=label, score=score, box=Box(x0=x0, y0=y0, x1=x1, y1=y1))


def scene(*objects, colour=(30, 120, 40), texts=(), faces=(), labels=()):
    grain = np.random.default_rng(0).normal(0, 25, (300, 400, 1))  # as photographs have
    image = Image.fromarray((np.full((300, 400, 3), colour) + grain).clip(0, 255).astype(np.uint8))
    for each in objects:
        if each.label == "car":
            box = each.box
            image.paste((210, 20, 30), (int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
    seen = Perceptions(
        width=400,
        height=300,
        candidates=objects,
        objects=objects,
        texts=texts,
        faces=faces,
        poses=(),
        labels=[SceneLabel(label=label, score=score) for label, score in labels],
    )
    return Scene(image, {}, seen)


def test_things_are_counted_coloured_and_placed():
    people = (thing("person", 10, 50, 50, 250), thing("person", 300, 50, 350, 250))
    caption = captioned(scene(*people, thing("car", 100, 150, 250, 250)))
    assert caption.text == "An outdoor photograph of a red car and two people."
    assert caption.things == ("car", "person")
    pair = captioned(scene(thing("person", 10, 50, 50, 250), thing("car", 100, 150, 250, 250)))
    assert pair.text == "An outdoor photograph of a red car to the right of a person."


def test_text_and_expressions_are_told():
    corners = ((10, 10), (110, 10), (110, 30), (10, 30))
    face = Face(
        box=Box(x0=0, y0=0, x1=9, y1=9), score=0.9, frontal=True, expressions={"happy": 0.9}
    )
    caption = captioned(
        scene(
            thing("person", 10, 50, 50, 250),
            texts=(TextLine(text="NO ENTRY", score=0.95, polygon=corners),),
            faces=(face,),
        )
    )
    assert caption.text == (
        "A photograph of a person. The text reads \u201cNO ENTRY\u201d. The person looks happy."
    )


@pytest.mark.parametrize(
    ("labels", "text", "things"),
    [
        (
            [("alp", 0.9)],
            "An outdoor photograph that very probably shows a mountain.",
            ("mountain",),
        ),
        (
            [("tabby", 0.5), ("tiger cat", 0.45)],
            "A photograph that very probably shows a cat.",
            ("cat",),
        ),
        ([("alp", 0.2)], "A photograph, mostly green; nothing in it is", ()),
    ],
)
def test_the_classifier_names_what_detectors_do_not_know(labels, text, things):
    caption = captioned(scene(labels=labels))
    assert caption.text.startswith(text)
    assert caption.things == things


def test_nothing_uncertain_is_named():
    caption = captioned(scene(thing("person", 10, 50, 50, 250, score=0.5), labels=[("alp", 0.3)]))
    assert "person" not in caption.text
    assert caption.things == ()


def test_what_the_classifier_denies_is_not_named():
    banana = thing("banana", 50, 50, 350, 250, score=0.8)
    assert captioned(scene(banana, labels=[("daisy", 0.7)])).things == ()
    small = thing("banana", 50, 50, 100, 100, score=0.8)
    assert captioned(scene(small, labels=[("daisy", 0.7)])).things == ()
    assert captioned(scene(small)).things == ("banana",)


def test_a_wider_word_for_the_same_thing_is_left_out():
    seen = (thing("beetle", 50, 50, 90, 90), thing("animal", 50, 50, 90, 90, score=0.7))
    assert captioned(scene(*seen)).things == ("beetle",)


@pytest.mark.parametrize("word", ["animal", "mammal"])
def test_a_wide_word_without_a_narrower_one_is_not_named(word):
    assert captioned(scene(thing(word, 50, 50, 90, 90))).things == ()


@pytest.mark.parametrize("word", ["vehicle", "bird", "butterfly"])
def test_what_a_detector_or_the_classifier_names_closely_is_named(word):
    assert captioned(scene(thing(word, 50, 50, 90, 90))).things == (word,)


def test_black_and_white_is_told():
    caption = captioned(scene(thing("dog", 100, 100, 200, 200), colour=(90, 90, 90)))
    assert caption.text == "A black-and-white photograph of a dog."


def test_the_expert_returns_the_things_that_it_names():
    expert = EvidenceCaptioner()
    expert.check({})
    output = expert.answer(scene(thing("dog", 100, 100, 200, 200)), {})
    assert output["things"] == ["dog"]
    assert output["perceptions"]["objects"][0]["label"] == "dog"


def test_many_are_at_least_so_many_and_a_small_thing_has_a_place():
    people = [thing("person", 40 * n, 50, 40 * n + 30, 150, score=0.9 - n / 20) for n in range(6)]
    assert captioned(scene(*people)).text == "A photograph of at least six people."
    dog = thing("dog", 350, 250, 390, 290)
    assert captioned(scene(dog)).text == "A photograph of a dog at the bottom right."


def _line(text, y=10):
    return TextLine(text=text, score=0.95, polygon=((10, y), (110, y), (110, y + 20), (10, y + 20)))


def test_several_experts_together_name_what_one_is_not_sure_of():
    labels = [("street sign", 0.4)]
    assert captioned(scene(labels=labels)).things == ()
    assert captioned(scene(labels=labels, texts=(_line("EXIT"),))).things == ("sign",)
    land = captioned(scene(labels=[("valley", 0.3), ("seashore", 0.3), ("alp", 0.1)]))
    assert land.text == "An outdoor photograph that probably shows a landscape."
    page = captioned(scene(texts=tuple(_line(f"line {n}", 40 * n) for n in range(7))))
    assert page.text.startswith("A photograph with seven lines of text.")


def test_a_blue_sky_is_told_outdoors_alone():
    mountain = scene(labels=[("alp", 0.95)], colour=(40, 110, 210))
    assert captioned(mountain).text.endswith("a mountain under a blue sky.")
    assert captioned(mountain).things == ("mountain", "sky")
    assert "sky" not in captioned(scene(thing("dog", 9, 9, 99, 99), colour=(40, 110, 210))).text
    assert "sky" not in captioned(scene(labels=[("alp", 0.95)], colour=(110, 120, 140))).text


def test_what_is_only_printed_names_nothing():
    assert captioned(scene(labels=[("comic book", 0.95)])).things == ()


def test_drawings_are_images_and_a_blank_one_is_called_blank():
    white = scene(colour=(255, 255, 255))
    blank = Scene(Image.new("RGB", (400, 300), "white"), {}, white.perceptions)
    assert captioned(blank).text == "A blank image; it is white all over."
    noise = np.random.default_rng(3).integers(0, 255, (300, 400, 3), np.uint8)
    photograph = Image.fromarray(noise)
    seen = white.perceptions
    assert captioned(Scene(photograph, {}, seen)).text.startswith("A photograph")
    photograph.paste((250, 250, 250), (0, 0, 400, 200))
    assert captioned(Scene(photograph, {}, seen)).text.startswith("An image, mostly white")
