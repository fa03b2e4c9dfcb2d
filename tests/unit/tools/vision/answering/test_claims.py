"""What a generating model says is compared with the evidence."""

import pytest
from PIL import Image

from edgewright.tools.contracts.perceptions import Box, DetectedObject, Perceptions
from edgewright.tools.vision.answering.answerer import EvidenceAnswerer
from edgewright.tools.vision.answering.answers import Answer
from edgewright.tools.vision.answering.captions import EvidenceCaptioner
from edgewright.tools.vision.answering.claims import CLAIM, disputed_answer
from edgewright.tools.vision.scene import Scene


@pytest.fixture
def dog():
    seen = (DetectedObject(label="dog", score=0.9, box=Box(x0=10, y0=10, x1=90, y1=90)),)
    known = Perceptions(
        width=100,
        height=100,
        candidates=seen,
        objects=seen,
        texts=(),
        faces=(),
        poses=(),
        labels=(),
    )
    return Scene(Image.new("RGB", (100, 100), (40, 90, 40)), {}, known)


@pytest.mark.parametrize(
    ("claim", "short", "disputed"),
    [
        ("yes", "no", True),
        ("no", "no", False),
        ("2", "two", False),
        ("two", "2", False),
        ("three", "2", True),
        ("red", "red", False),
        ("red", "orange", False),
        ("blue", "red and white", True),
        ("white", "red and white", False),
        ("dog", "cat", True),
        ("puppy", "dog", False),
        ("a very nice day", "dog", False),
        ("brown", "none", True),
        ("nothing", "none", False),
    ],
)
def test_short_answers_are_compared_by_meaning(claim, short, disputed):
    dispute = disputed_answer(claim, Answer("I see it so.", short, 0.9))
    assert bool(dispute) is disputed
    assert not dispute or "I see it so." in dispute


def test_a_caption_is_disputed_for_what_the_detectors_rule_out(dog):
    captioner = EvidenceCaptioner()
    claim = "a dog on a frisbee next to a lake"
    assert captioner.answer(dog, {CLAIM: claim})["disputes"] == "The detectors see no frisbee."
    assert captioner.answer(dog, {CLAIM: "a brown dog by a tree"})["disputes"] == ""
    assert "disputes" not in captioner.answer(dog, {})


def test_an_answer_is_disputed_by_the_answer_from_evidence(dog):
    asked = {"question": "Is there a dog?"}
    disputes = EvidenceAnswerer().answer(dog, {**asked, CLAIM: "no"})["disputes"]
    assert disputes.startswith("The evidence says otherwise: Yes")
    assert EvidenceAnswerer().answer(dog, {**asked, CLAIM: "yes"})["disputes"] == ""
