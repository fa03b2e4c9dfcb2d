"""Text in images is read line by line, on the thing that is asked about."""

import pytest

from edgewright.tools.contracts.perceptions import TextLine
from edgewright.tools.vision.answering.answerer import answered
from scenes import line, scene, thing

SIGNS = scene(
    texts=(
        line("NO", 10, 10, 80, 40),
        line("PARKING 24", 10, 55, 160, 40),
        line("Post", 350, 250, 30, 10),
    )
)


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("What does the sign say?", "NO / PARKING 24"),
        ("Read all the text.", "NO / PARKING 24 / Post"),
        ("What number can you read?", "24"),
        ("What is the heading?", "NO"),
        ("Is there any text?", "yes"),
        ("Does the sign say parking?", "yes"),
        ("Does the sign say stop?", "no"),
    ],
)
def test_reading(question, short):
    answer = answered(question, SIGNS)
    assert answer.short == short
    assert answer.perceptions.texts


def test_words_beside_each_other_are_one_line():
    words = (line("the", 10, 50, 60), line("copy", 90, 52, 80), line("EXIT", 10, 120, 90))
    apart = line("9 EUR", 330, 120, 60)
    read = answered("What does it say?", scene(texts=(*words, apart))).text
    assert read == "It reads: \u201cthe copy / EXIT / 9 EUR\u201d."


def test_text_on_a_thing_is_read_there_alone():
    bus = scene(thing("bus", 100, 100, 150), texts=(line("42", 60, 90, 40), line("Post", 300, 200)))
    assert answered("What does it say on the bus?", bus).short == "42"
    assert answered("What is written on the wall?", bus).short == "42 / Post"


def test_the_heading_is_the_line_with_the_largest_letters_however_it_is_turned():
    slanted = TextLine(
        text="a long and slanted line",
        score=0.95,
        polygon=((10, 60), (360, 100), (358, 115), (8, 75)),
    )
    page = scene(texts=(line("Heading", 10, 10, 120, 28), slanted))
    assert answered("What is the heading?", page).short == "Heading"
