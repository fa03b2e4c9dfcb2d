"""Indoors or outdoors, day or night: answered where the evidence is clear."""

import pytest
from PIL import Image

from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.answering.answerer import answered
from scenes import HEIGHT, WIDTH, scene, thing

NIGHT, DAY = (8, 8, 12), (150, 170, 190)


def _view(colour, *objects, labels=(), light=None):
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    if light:
        image.paste(light, (100, 150, 300, 300))
    return scene(*objects, image=image, labels=labels)


@pytest.mark.parametrize(
    ("question", "view", "short"),
    [
        ("Is it indoors or outdoors?", _view(DAY, labels=[("castle", 0.8)]), "outdoors"),
        ("Is it indoors or outdoors?", _view(DAY, thing("couch", 200, 200)), "indoors"),
        ("Was this taken outdoors?", _view(DAY, thing("bus", 200, 200)), "yes"),
        ("Was it not taken outdoors?", _view(DAY, thing("bus", 200, 200)), "no"),
        ("Is it day or night?", _view(DAY, thing("bus", 200, 200)), "day"),
        ("Is it night?", _view(NIGHT, thing("bus", 200, 200), light="white"), "yes"),
    ],
)
def test_surroundings(question, view, short):
    assert answered(question, view).short == short


@pytest.mark.parametrize(
    ("question", "view"),
    [
        ("Is it indoors or outdoors?", _view(DAY)),
        ("Is it indoors?", _view(DAY, thing("bus", 90, 90), thing("couch", 200, 200))),
        ("Is it day or night?", _view(DAY, thing("couch", 200, 200))),
        ("Is it day or night?", _view(NIGHT, thing("bus", 200, 200))),
    ],
)
def test_surroundings_that_are_not_clear_are_refused(question, view):
    with pytest.raises(
        RefusedError, match=r"^whether it is .* cannot be told from this image; ask"
    ):
        answered(question, view)
