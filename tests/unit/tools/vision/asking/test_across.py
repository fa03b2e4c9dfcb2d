"""Questions across images ask each of them the same."""

import pytest

from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.grammar import parse


@pytest.mark.parametrize(
    ("question", "of_one"),
    [
        ("Which of these has a cat?", "Is there a cat?"),
        ("Which photo shows fruit?", "Is there fruit?"),
        ("In which picture is there a bus?", "Is there a bus?"),
        ("In which of these pictures can you see a dog?", "Is there a dog?"),
        ("Which one has a dog in it?", "Is there a dog?"),
        ("Which ones have no people?", "Are there no people?"),
        ("What picture contains a car?", "Is there a car?"),
        ("Find the picture with fruit", "Is there fruit?"),
        ("Show me the ones with an animal", "Is there an animal?"),
        ("Pick out all photos that show two people", "Are there two people?"),
        ("Which one is in black and white?", "Is it in black and white?"),
        ("Which of my photos were taken outdoors?", "Was it taken outdoors?"),
        ("Which picture is blurry?", "Is it blurry?"),
    ],
)
def test_the_question_about_each(question, of_one):
    assert parse(question) == parse(of_one)


@pytest.mark.parametrize(
    ("question", "of_one", "best", "least"),
    [
        ("Which has the most people?", "How many people?", "has the most people", False),
        ("Which of the two has more people?", "How many people?", "has the most people", False),
        ("Which picture shows the fewest cars?", "How many cars?", "has the fewest cars", True),
        ("Which one is brighter?", "How bright is it?", "is the brightest", False),
        ("Which of these is the darkest picture?", "How bright is it?", "is the darkest", True),
        ("Which photo looks sharper?", "How sharp is it?", "is the sharpest", False),
        ("Which one is the most blurry?", "How sharp is it?", "is the blurriest", True),
        ("Which image is the biggest?", "How large is it?", "is the biggest", False),
    ],
)
def test_comparisons(question, of_one, best, least):
    assert parse(question) == p.Compared(parse(of_one), best, least)


@pytest.mark.parametrize(
    "question", ["Which one is the most beautiful?", "Which is nicer?", "What is he thinking?"]
)
def test_what_cannot_be_compared_is_refused(question):
    with pytest.raises(RefusedError, match="ask what is there"):
        parse(question)
