"""One sentence about several images: headings, left out words, comparisons."""

import pytest

from edgewright.agents.planner.embedded.grammar.coordination import asked_of_each
from edgewright.agents.planner.embedded.understanding import understand
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.contracts.images import ImageRef

NAMES = ("p.png", "q.png", "r.png")


def image(name: str) -> ImageRef:
    digest = name.encode().hex().ljust(64, "0")
    return ImageRef(uri=f"store:{digest}", sha256=digest, mime="image/png", name=name)


def units(text: str, count: int = 3) -> list[tuple[str, str]]:
    """Return the text and the images of each unit."""
    request = PlanRequest(text=text, images=tuple(map(image, NAMES[:count])))
    found = understand(text, request)
    assert found.problems == ()
    return [
        (unit.text, " ".join(each.name[0] for each in unit.images if each.name))
        for unit in found.units
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2: describe, 3: classify", [("describe", "q"), ("classify", "r")]),
        ("#1 caption, #3 classify", [("caption", "p"), ("classify", "r")]),
        (
            "For the first picture tell me the breed, for the second just caption it",
            [("tell me the breed", "p"), ("just caption it", "q")],
        ),
        (
            "for number one I need a caption, for number three the breed",
            [("I need a caption", "p"), ("the breed", "r")],
        ),
        ("p.png - caption\nr.png - how many hens?", [("caption", "p"), ("how many hens?", "r")]),
        (
            "pictures 1 through 2, what is the main thing in each?",
            [("what is the main thing in the picture?", "p q")],
        ),
        ("first: caption it, third: classify it", [("caption it", "p"), ("classify it", "r")]),
        (
            "picture 1: classify, picture 2: is there a goat?",
            [("classify", "p"), ("is there a goat?", "q")],
        ),
    ],
)
def test_headings_inside_a_line_say_which_image_is_next(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert units(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "in p.png is there an owl, and in q.png a toad?",
            [("is there an owl?", "p"), ("is there a toad?", "q")],
        ),
        (
            "is there an owl in the first and a toad in the second?",
            [("is there an owl in the picture?", "p"), ("is there a toad in the picture?", "q")],
        ),
        (
            "in the first, what colour is the bus, and in the second the tram?",
            [("what colour is the bus?", "p"), ("what colour is the tram?", "q")],
        ),
        (
            "how many owls are in p.png and toads in q.png?",
            [
                ("how many owls are in the picture?", "p"),
                ("how many toads are in the picture?", "q"),
            ],
        ),
    ],
)
def test_words_left_out_of_a_second_question_come_from_the_first(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert units(text, 2) == expected


@pytest.mark.parametrize(
    "text",
    [
        "caption p.png and q.png",
        "describe the first and a label of the second",
        "caption p.png and tell me whether there is a toad in q.png",
    ],
)
def test_nothing_is_filled_in_where_nothing_is_left_out(text: str) -> None:
    assert not any("?" in said for said, _ in units(text, 2))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("which one is brighter", "Which picture is brighter?"),
        ("Which is darker, the picture or the picture?", "Which picture is darker?"),
        ("and which of them is the largest?", "Which picture is the largest?"),
        ("which picture has more boats?", "Which picture has more boats?"),
        ("which one looks the most colourful", "Which picture looks the most colourful?"),
        ("which one shows an owl?", "is there an owl?"),
        ("which ones show a person?", "is there a person?"),
        ("find the picture with fruit", "is there fruit?"),
        ("Show me the ones without people.", "are there any people?"),
        ("list the photos that were taken outdoors", "Which picture were taken outdoors?"),
        (
            "Which has more boats, the picture or the picture?",
            "Which picture has more boats?",
        ),
        ("which breed is it?", ""),
        ("describe which one is brighter", ""),
    ],
)
def test_a_choice_between_images_asks_the_same_of_each(text: str, question: str) -> None:
    assert asked_of_each(text) == question


def test_a_choice_is_about_the_things_in_a_single_image() -> None:
    assert units("which one is brighter", 1) == [("which one is brighter", "p")]
    assert units("which one is brighter", 2) == [("Which picture is brighter?", "p q")]
