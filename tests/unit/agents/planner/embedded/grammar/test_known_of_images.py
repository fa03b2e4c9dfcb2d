"""Times, dates and told words, as the grammar reads them."""

import pytest

from edgewright.agents.planner.embedded.grammar.dates import dated
from edgewright.agents.planner.embedded.grammar.finding import mentions
from edgewright.agents.planner.embedded.grammar.told import introduced, told

TIMES = [
    ("at quarter past ten in the evening", "door_21-45.png door_22-15.png", 1),
    ("just after seven in the morning", "feeder_0702.png feeder_1858.png", 0),
    ("at half past four p.m.?", "lot_1600.png lot_1630.png", 1),
    ("at ten to one?", "20230515_2350.png 20230516_0050.png", 1),
    ("the one of nine forty-two:", "s_09.38.51.png s_09.42.13.png", 1),
    ("taken at 22:15", "cctv_2024-05-02_21-45.png cctv_2024-05-02_22-15.png", 1),
    ("the 3pm one", "a_3pm.png b_5pm.png", 0),
    ("the one of the twenty-ninth of February", "20240228.png 20240229.png", 1),
    ("in the Christmas Eve one", "2022-12-23.png 2022-12-24.png", 1),
    ("the Valentine's Day picture", "0214_a.png 0317_a.png", 0),
    ("Monday's", "20240506.png 20240507.png", 0),
    ("in the December one", "2023-11-30.png 2023-12-05.png", 1),
    ("the earlier of the two", "tree_0800.png tree_0900.png", 0),
]


@pytest.mark.parametrize(("text", "names", "expected"), TIMES)
def test_the_image_of_a_time(text: str, names: str, expected: int) -> None:
    assert (expected,) in [images for _, _, images in dated(text, names.split())]


@pytest.mark.parametrize("text", ["at 11:02", "half past nine", "hives one to four", "two thirds"])
def test_no_image_is_near(text: str) -> None:
    assert not dated(text, ["a_1500.png", "b_1715.png"])


def read(text: str) -> tuple[dict[int, frozenset[str]], str]:
    """Return what is told of two images, and the rest of the text."""
    names = ["a.png", "b.png"]
    found = told(
        text,
        lambda said: mentions(said, names),
        lambda meant: tuple(n - 1 for each in meant for n in each.numbers) if meant else (0, 1),
    )
    return found.words, found.rest


def test_told_words_leave_the_text() -> None:
    words, rest = read("The first is a fake and the second the real bag. What is on the fake?")

    assert words == {0: frozenset({"fake"}), 1: frozenset({"real", "bag"})}
    assert rest == "What is on the fake?"


@pytest.mark.parametrize(
    "text",
    [
        "The first needs a caption and the second a label.",
        "Is the first a cat and the second a dog?",
        "The first is blurred. Describe the second.",
        "In the first, which dog is it?",
    ],
)
def test_requests_tell_nothing(text: str) -> None:
    assert read(text) == ({}, text)


def test_an_image_is_introduced() -> None:
    assert introduced("And here's the mill. Caption?") == {"mill"}
    assert not introduced("How many mills are there?")
