"""Questions about real photographs, answered with the installed networks."""

import pytest
import skimage.data
from PIL import Image

from edgewright.tools.vision.answering.answerer import answered
from edgewright.tools.vision.answering.captions import captioned
from edgewright.tools.vision.perception.networks import Networks
from edgewright.tools.vision.perception.perceivers import Perceivers
from edgewright.tools.vision.scene import Scene


@pytest.fixture(scope="module")
def astronaut():
    return Scene(
        Image.fromarray(skimage.data.astronaut()),
        Perceivers(Networks(threads=1), threads=1).by_kind(),
    )


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Is there a person in the picture?", "yes"),
        ("How many people are there?", "1"),
        ("Is there a dog?", "no"),
        ("Is the woman smiling?", "yes"),
        ("What colour is her suit?", "orange"),
        ("What colour is the dog?", "none"),
        ("Is it a black-and-white photo?", "no"),
        ("Is the picture square?", "yes"),
    ],
)
def test_questions_about_the_astronaut(astronaut, question, short):
    assert answered(question, astronaut).short == short


def test_the_astronauts_caption(astronaut):
    caption = captioned(astronaut)
    assert "person" in caption.things
    assert "happy" in caption.text


def test_what_was_seen_once_is_not_looked_for_again(astronaut):
    answered("Is there a dog?", astronaut)
    before = dict(astronaut.stages_ms)
    answered("Is there a cat?", astronaut)
    assert astronaut.stages_ms == before
