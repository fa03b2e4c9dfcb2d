"""The card of a trained model is derived from the purpose and the data."""

from __future__ import annotations

import pytest

from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.serving.subject import find_subject, singular
from edgewright.tools.federated.serving.tool_card import tool_card


def data(classes: tuple[str, ...], name: str = "parts") -> DataCard:
    return DataCard(
        name=name, height=8, width=8, channels=1, original_side=8, classes=classes, train=100,
        validation=20, test=20, partition="iid", clients=(ClientCard(samples=9, histogram=(9,)),),
        balance=1.0, label_skew=0.0, size_skew=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        (
            "ten clinics each have photos of handwritten digits; I need a classifier",
            "handwritten digit",
        ),
        ("Train me a model that recognises birds from our cameras.", "bird"),
        ("classify pictures of solar cells that are defective", "solar cell"),
        ("a garment classifier, please", "garment"),
        ("sort our berries", "berry"),
        ("tell which kind of leaf it is", "leaf"),
        ("five quarries each photograph surfaces; tell them apart", "surface"),
        ("we want to tell mushrooms apart", "mushroom"),
        ("distinguish ripe fruit from rotten fruit", "ripe fruit"),
        ("ten shops photographed their goods; we need a classifier", "metal part"),
        ("tell me whether the image classifier works", "metal part"),
        ("make it good", "metal part"),
        ("", "metal part"),
    ],
)
def test_the_subject_is_found_in_the_purpose(purpose, subject):
    assert find_subject(purpose, "metal_parts").singular == subject


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        ("schools have drawings of animals, letters and people; say which kind it is", "drawing"),
        ("clinics hold scans of lungs and hearts; classify them", "scan"),
        ("photos of animals and letters", "metal part"),
        ("photos of toys: animals and letters", "toy"),
    ],
)
def test_a_class_is_not_the_subject(purpose, subject):
    classes = ("Animals", "Letters", "People", "lung", "heart")
    assert find_subject(purpose, "metal_parts", classes).singular == subject


def test_a_cards_demonstrations_use_the_words_of_its_purpose():
    card = tool_card("photos of leaves of trees", data(("oak", "beech-tree", "7")), ())
    assert card.id.endswith("-classifier")
    assert card.experts == (f"{card.id}-expert",)
    requests = [demonstration.request for demonstration in card.demonstrations]
    assert "Oak or beech-tree?" in requests
    assert any(request.startswith("Which ") for request in requests)
    assert "oak" in card.description


def test_an_id_is_never_used_twice():
    used_ids: list[str] = []
    for _ in range(3):
        used_ids.append(tool_card("photos of digits", data(("0", "1")), used_ids).id)
    assert used_ids == ["digit-classifier", "digit-classifier-2", "digit-classifier-3"]


def test_any_name_makes_a_valid_card():
    many = tuple(f"class {number}" for number in range(40))
    card = tool_card("!!", data(many, name="2024 ÄÖ"), ())
    assert card.id == "class-0-class-1-class-2-picture-classifier"
    assert "and 28 more" in card.description


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("leaves", "leaf"), ("gloves", "glove"), ("knives", "knife"), ("berries", "berry"),
        ("cookies", "cookie"), ("horses", "horse"), ("buses", "bus"), ("houses", "house"),
        ("tomatoes", "tomato"), ("shoes", "shoe"), ("glasses", "glass"), ("boxes", "box"),
        ("women", "woman"), ("fungi", "fungus"), ("species", "species"), ("clothes", "garment"),
        ("diseases", "disease"), ("fish", "fish"), ("brass", "brass"), ("mice", "mouse"),
    ],
)  # fmt: skip
def test_nouns_get_their_right_singular(plural, one):
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("purpose", "name", "classes", "card_id", "sentence"),
    [
        ("which disease do our maize leaves have?", "digits", ("0", "1"),
         "handwritten-digit-classifier", "Classifies pictures of handwritten digits as 0 or 1."),
        ("sort clothes", "fashion-mnist", ("t-shirt", "coat", "bag"), "garment-classifier",
         "Classifies pictures of garments as t-shirt, coat or bag."),
        ("train me something", "fashion-mnist", ("coat", "bag"), "garment-classifier",
         "Use it when someone asks what kind of garment a picture shows."),
        ("photos of solar cells", "elpv", ("functional", "defective"), "solar-cell-classifier",
         "Use it when someone asks what state a solar cell is in."),
        ("classify pictures of maize leaves", "x", ("rust", "blight"), "maize-leaf-classifier",
         "Classifies pictures of maize leaves as rust or blight."),
        ("help us", "my_data", ("cat", "dog"), "cat-dog-picture-classifier",
         "Classifies pictures as cat or dog. Use it when someone asks what a picture shows."),
        ("help us", "ripe_fruit_2024", ("apple", "pear"), "ripe-fruit-classifier",
         "Classifies pictures of ripe fruit as apple or pear."),
    ],
)  # fmt: skip
def test_a_card_is_named_after_its_subject_and_classes(purpose, name, classes, card_id, sentence):
    card = tool_card(purpose, data(classes, name=name), ())
    assert card.id == card_id
    assert sentence in card.description


def test_states_are_asked_about_as_states():
    card = tool_card("photos of tomatoes", data(("ripe", "unripe"), name="x"), ())
    requests = [demonstration.request for demonstration in card.demonstrations]
    assert "Is this tomato ripe?" in requests
    assert not any("kind of" in request for request in requests)
