"""Nouns are found in singular and plural, by synonyms and wider words."""

import pytest

from edgewright.tools.vision.asking.nouns import listed, plural, singulars, with_article
from edgewright.tools.vision.asking.things import things


@pytest.mark.parametrize(
    ("word", "detected"),
    [
        ("people", {"person"}),
        ("motorbikes", {"motorcycle"}),
        ("lorries", {"truck"}),
        ("knives", {"knife"}),
        ("fridge", {"refrigerator"}),
        ("footballs", set()),
    ],
)
def test_synonyms_and_plurals(word, detected):
    assert things().find(word).detected == detected


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        ("animal", ["cat", "dog", "bird", "horse"]),
        ("vehicle", ["car", "bus", "bicycle", "boat"]),
        ("fruit", ["apple", "banana", "orange"]),
        ("furniture", ["chair", "sofa", "bed", "table"]),
        ("food", ["pizza", "apple", "cake"]),
    ],
)
def test_hypernyms_cover_what_is_narrower(wider, narrower):
    for word in narrower:
        assert things().find(word).detected <= things().find(wider).detected


def test_a_narrower_word_is_not_the_wider_thing():
    assert things().find("taxi").parent == "car"
    assert things().find("woman").parent == "person"
    assert things().find("football").parent == "ball"


def test_the_classifier_adds_words():
    assert things().find("tigers").labels == {"tiger"}
    assert things().find("no such word") is None


def test_a_detected_object_has_its_narrowest_name():
    assert things().of_detection("cat").name == "cat"
    assert things().of_detection("couch").name == "sofa"
    assert things().of_detection("unheard of").name == "unheard of"


def test_forms():
    assert plural("box") == "boxes"
    assert plural("berry") == "berries"
    assert plural("child") == "children"
    assert plural("computer mouse") == "computer mice"
    assert plural("pair of scissors") == plural("scissors") == "scissors"
    assert "wine glass" in singulars("wine glasses")
    assert with_article("orange") == "an orange"
    assert with_article("uniform") == "a uniform"
    assert listed(["a", "b", "c"]) == "a, b and c"
