"""Which images words mean: names, positions, turns."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.conversation import Conversation, MissingImageError
from edgewright.agents.planner.embedded.grammar.finding import mentions
from edgewright.agents.planner.embedded.grammar.references import without_mentions
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.contracts.images import ImageRef


def image(name: str) -> ImageRef:
    folder, _, base = name.rpartition("/")
    digest = name.encode().hex()[:64].ljust(64, "0")
    return ImageRef(
        uri=f"store:{digest}", sha256=digest, mime="image/png", name=base, folder=folder
    )


def meant(text: str, images: str, *turns: str) -> list[str]:
    history = tuple(
        Turn(
            request="r",
            images=tuple(map(image, turn.split())),
            about=tuple(map(image, turn.split())),
        )
        for turn in turns
    )
    request = PlanRequest(text=text, images=tuple(map(image, images.split())), history=history)
    conversation = Conversation(request)
    found = mentions(text, conversation.names)
    chosen = conversation.resolve(found) if found else conversation.focus
    return [f"{each.folder}/{each.name}".lstrip("/") for each in chosen]


ABC = "oak.jpg elm.jpg ash.jpg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("caption the 2nd", "elm.jpg"),
        ("is there a bus in the third photo?", "ash.jpg"),
        ("the last one, please", "ash.jpg"),
        ("classify picture 1", "oak.jpg"),
        ("what is #3?", "ash.jpg"),
        ("label number two", "elm.jpg"),
        ("describe the first and last pictures", "oak.jpg ash.jpg"),
        ("the second to last image", "elm.jpg"),
        ("describe the last two", "elm.jpg ash.jpg"),
        ("pictures 1 to 2", "oak.jpg elm.jpg"),
        ("the first through third pictures", ABC),
        ("the second of the three: what is it?", "elm.jpg"),
        ("the picture I sent first", "oak.jpg"),
        ("all but the first", "elm.jpg ash.jpg"),
        ("all of them except the second one", "oak.jpg ash.jpg"),
        ("everything apart from ash.jpg", "oak.jpg elm.jpg"),
        ("what is in each?", ABC),
        ("classify all three", ABC),
        ("the middle one", "elm.jpg"),
        ("the second from the right", "elm.jpg"),
        ("what does the second to last one show", "elm.jpg"),
        ("photo 1 and photo 3: classify", "oak.jpg ash.jpg"),
        ("is one here but the second isn't", "elm.jpg"),
        ("the third one from the left: caption it", "ash.jpg"),
        ("the first photo from the end", "ash.jpg"),
        ("caption the one in the middle", "elm.jpg"),
        ("the picture on the far right", "ash.jpg"),
        ("is there a bus in 1 and 3?", "oak.jpg ash.jpg"),
        ("is there a bus in 5 of ten windows?", ABC),
        ("the first shows a bus", "oak.jpg"),
        ("the first doesn't", "oak.jpg"),
        ("describe the red car", ABC),
        ("is he on the first floor?", ABC),
        ("first, describe it", ABC),
        ("are all doors shut?", ABC),
        ("which of these shows a bus?", ABC),
        ("caption every other picture", "oak.jpg ash.jpg"),
        ("classify every second photo", "elm.jpg"),
        ("the even-numbered ones", "elm.jpg"),
        ("classify the odd pictures", "oak.jpg ash.jpg"),
        ("is the odd one out a bus?", ABC),
        ("the third to last one", "oak.jpg"),
        ("label the second-last picture", "elm.jpg"),
        ("what is in the picture before the last?", "elm.jpg"),
    ],
)
def test_positions_are_counted_in_the_images_that_came(text: str, expected: str) -> None:
    assert meant(text, ABC) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("classify bobcat.png", "bobcat.png"),
        ("CAT.PNG", "cat.png"),
        ("what is in old-mill?", "old-mill.jpg"),
        ("what is in the old mill picture?", "old-mill.jpg"),
        ("describe cat", "cat.png"),
        ("what colour is the cat?", "cat.png"),
        ("is there a cat?", "cat.png bobcat.png old-mill.jpg a/x.jpg b/x.jpg"),
        ("how many cats are there?", "cat.png bobcat.png old-mill.jpg a/x.jpg b/x.jpg"),
        ("caption b/x.jpg", "b/x.jpg"),
        ("caption /home/me/a/x.jpg", "a/x.jpg"),
    ],
)
def test_a_name_is_never_a_part_of_another(text: str, expected: str) -> None:
    assert meant(text, "cat.png bobcat.png old-mill.jpg a/x.jpg b/x.jpg") == expected.split()


def test_a_single_letter_is_a_name_only_as_an_object() -> None:
    assert meant("describe a, classify b", "a.jpg b.jpg c.jpg") == ["a.jpg", "b.jpg"]
    assert meant("caption a and c", "a.jpg b.jpg c.jpg") == ["a.jpg", "c.jpg"]
    assert meant("describe a dog", "a.jpg b.jpg") == ["a.jpg", "b.jpg"]
    assert meant("is there a, say, dog?", "a.jpg b.jpg") == ["a.jpg", "b.jpg"]


def test_an_image_is_named_by_what_it_is_called() -> None:
    assert meant("caption the picture called mill", "mill.jpg miller.jpg") == ["mill.jpg"]


def test_a_name_and_its_noun_give_way_to_one_stand_in() -> None:
    text, names = "is the mill one bright?", ["mill.jpg", "oak.jpg"]
    assert without_mentions(text, mentions(text, names)) == "is the picture bright?"


def test_what_is_left_out_leaves_no_words_behind() -> None:
    text, names = "caption all of them except oak.jpg", ["mill.jpg", "oak.jpg"]
    assert without_mentions(text, mentions(text, names)) == "caption all of them"


def test_in_a_single_image_the_one_on_the_left_is_a_thing() -> None:
    text = "is the one on the left a goat?"
    assert mentions(text, ["oak.jpg"]) == []
    assert len(mentions(text, ["oak.jpg", "elm.jpg"])) == 1


def test_images_are_named_by_their_folder_or_type() -> None:
    assert meant("describe the one from the garden folder", "garden/1.jpg hall/1.jpg") == [
        "garden/1.jpg"
    ]
    assert meant("caption the png, not the jpg", "oak.jpg elm.png") == ["elm.png"]
    assert meant("caption the png", "oak.png elm.png") == ["oak.png", "elm.png"]


def test_composed_and_decomposed_names_are_equal() -> None:
    assert meant("describe caf\u00e9.jpg", "cafe\u0301.jpg cafe.jpg") == ["cafe\u0301.jpg"]


@pytest.mark.parametrize(
    ("text", "images", "turns", "expected"),
    [
        ("classify the previous picture", "", ("a.jpg", "b.jpg"), "a.jpg"),
        ("and the one before?", "c.jpg", ("a.jpg", "b.jpg"), "b.jpg"),
        ("describe the other one", "", ("a.jpg", "b.jpg"), "a.jpg"),
        ("is there a bed in the other?", "", ("a.jpg", "b.jpg"), "a.jpg"),
        ("caption the last photo I sent before this one", "c.jpg", ("a.jpg", "b.jpg"), "b.jpg"),
        ("describe both", "", ("a.jpg", "b.jpg"), "a.jpg b.jpg"),
        ("describe all the pictures I sent", "", ("a.jpg", "b.jpg", "c.jpg"), "a.jpg b.jpg c.jpg"),
        ("the very first image I sent you", "c.jpg", ("a.jpg", "b.jpg"), "a.jpg"),
        ("classify this and the first picture", "c.jpg", ("a.jpg", "b.jpg"), "a.jpg c.jpg"),
        ("the second one", "", ("a.jpg b.jpg",), "b.jpg"),
        ("is it asleep?", "", ("a.jpg", "b.jpg"), "b.jpg"),
        ("caption the two I sent at the start", "", ("a.jpg b.jpg", "c.jpg"), "a.jpg b.jpg"),
        ("the previous two", "c.jpg", ("a.jpg", "b.jpg"), "a.jpg b.jpg"),
        ("describe the two earlier pictures", "", ("a.jpg", "b.jpg", "c.jpg"), "a.jpg b.jpg"),
        ("now the next one", "c.jpg", ("a.jpg", "b.jpg"), "c.jpg"),
    ],
)
def test_turns_are_counted_back(
    text: str, images: str, turns: tuple[str, ...], expected: str
) -> None:
    assert sorted(meant(text, images, *turns)) == sorted(expected.split())


@pytest.mark.parametrize(
    "text",
    [
        "describe the fourth picture",
        "picture 9",
        "the last five images",
        "and the one before?",
        "the previous two",
        "every fourth picture",
    ],
)
def test_an_image_that_does_not_exist_is_reported(text: str) -> None:
    with pytest.raises(MissingImageError, match=r"(?i)image"):
        meant(text, ABC)


def test_a_number_of_the_persons_own_is_no_position() -> None:
    assert meant("for image 88: is it open?", "a.jpg") == ["a.jpg"]


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_and_names_are_read(text: str, names: list[str]) -> None:
    found = mentions(text, names)
    for one, other in itertools.pairwise(found):
        assert one.end <= other.start
    without_mentions(text, found)


@pytest.mark.parametrize(
    ("text", "images", "expected"),
    [
        (
            "caption whatever is in the oaks folder",
            "oaks/1.jpg elms/1.jpg oaks/2.jpg",
            "oaks/1.jpg oaks/2.jpg",
        ),
        (
            "caption all the photos in oaks",
            "oaks/1.jpg elms/1.jpg oaks/2.jpg",
            "oaks/1.jpg oaks/2.jpg",
        ),
        (
            "how many doors are in the after shot?",
            "barn-before.jpg barn-after.jpg",
            "barn-after.jpg",
        ),
        ("what does the screenshot say?", "barn.jpg Screenshot_12.png", "Screenshot_12.png"),
        (
            "caption the red one",
            "car-red-1.jpg car-red-2.jpg bus.jpg",
            "car-red-1.jpg car-red-2.jpg",
        ),
        (
            "caption the red ones",
            "car-red-1.jpg car-red-2.jpg bus.jpg",
            "car-red-1.jpg car-red-2.jpg",
        ),
        ("is the red car parked?", "car-red.jpg bus.jpg", "car-red.jpg"),
    ],
)
def test_images_are_named_by_their_folder_or_a_part_of_their_name(
    text: str, images: str, expected: str
) -> None:
    assert meant(text, images) == expected.split()


def test_there_is_nothing_after_the_last_image() -> None:
    with pytest.raises(MissingImageError, match="no image after"):
        meant("caption the one after ash.jpg", ABC)
