"""Corrections within a request, images chosen by what they show, conditions without an "if"."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.grammar.rewriting import rewritten, selected


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Caption the first - no wait, the second one", "Caption the second one"),
        ("caption the hen picture, er, I mean the goat picture", "caption the goat picture"),
        ("Caption p.png. Sorry, I meant q.png.", "Caption q.png"),
        ("is there a hen, no wait, a goat in it?", "is there a hen, no wait, a goat in it?"),
        ("is there a hen, I mean a goat", "is there a goat"),
        ("Caption the first, sorry for the bother", "Caption the first, sorry for the bother"),
        ("Hello there, is there a hen?", "is there a hen?"),
        ("no hen? Caption it.", "if there is no hen, Caption it."),
        ("more than two hens? caption it", "if there are more than two hens, caption it"),
        (
            "any goats? Caption it. No goats? Label it.",
            "if there are goats, Caption it. if there are No goats, Label it.",
        ),
        ("Any goats? Caption it.", "Any goats? Caption it."),
        ("Caption it, but don't if it's dark.", "Caption it unless it's dark."),
        ("Caption it. Please don't do it when it's dark.", "Caption it unless it's dark."),
        ("Don't caption it if it's dark.", "caption it unless it's dark."),
        (
            "For each of these: if there's a hen, caption it.",
            "if there's a hen, caption it for each of these",
        ),
        (
            "Should there be one, caption it. Should there not be, label it.",
            "if so, caption it. if not, label it.",
        ),
        ("No hens? No caption. If there are hens, caption it.", "If there are hens, caption it."),
        ("Count the hens. But not in the first.", "Count the hens, But not in the first."),
        ("First, caption it. Second, label it.", "1) caption it. 2) label it."),
        ("First, caption it.", "First, caption it."),
        ("Ok, next please", "the next one"),
        ("first: caption it. secondly: label it", "1) caption it. 2) label it"),
        ("wrong one! I wanted the second", "I wanted the second"),
        ("Oops, not that one, the third", "the third"),
        ("That's not what I asked. I asked for a label.", "I asked for a label."),
        ("you took the wrong picture, I meant p.png", "I meant p.png"),
        ("no no, I said count them", "I said count them"),
        ("That's not a hen, is it?", "That's not a hen, is it?"),
        ("Great, thanks! Now the label.", "Now the label."),
        ("Good. Next one.", "Next one."),
        ("Nice hens, count them", "Nice hens, count them"),
        ("Look for a hen. Found one? Caption it.", "Look for a hen. if so, Caption it."),
        ("Any hens? None? Caption it.", "Any hens? if not, Caption it."),
        ("First make sure there is a hen, and then caption it", "if there is a hen, caption it"),
    ],
)
def test_a_request_gets_a_plain_form(text: str, plain: str) -> None:
    assert rewritten(text, images=1, others=0) == plain


def test_with_several_images_an_ordinal_is_a_heading() -> None:
    text = "first: caption it, second: label it"
    assert rewritten(text, images=2, others=0) == text


def test_not_that_one_means_the_only_other() -> None:
    assert rewritten("no, not that one!", images=2, others=1) == "the other one"
    assert rewritten("wrong picture!", images=2, others=1) == "the other one"
    assert rewritten("my mistake", images=2, others=1) == "my mistake"
    assert rewritten("no, not that one!", images=3, others=2) == "no, not that one!"


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("caption the photos that show a hen", "caption each picture if it shows a hen"),
        ("label only the ones with hens in them", "label each picture if it shows hens"),
        ("caption the one with the hen", "caption each picture if it shows a hen"),
        ("whichever of these has a hen, caption it", "caption each picture if it shows a hen"),
        ("caption whichever of these has a hen", "caption each picture if it shows a hen"),
        ("caption the photos with a short title", "caption the photos with a short title"),
        ("caption the photos that I sent", "caption the photos that I sent"),
        ("are the photos with a hen good?", "are the photos with a hen good?"),
    ],
)
def test_images_are_chosen_by_what_they_show(text: str, condition: str) -> None:
    assert selected(text, several=True) == condition


def test_the_only_image_is_not_chosen() -> None:
    text = "caption the picture with the hen"
    assert selected(text, several=False) == text


@given(st.text(max_size=200))
def test_any_text_is_rewritten(text: str) -> None:
    assert isinstance(rewritten(text, images=1, others=1), str)
    assert isinstance(selected(text, several=True), str)


@pytest.mark.parametrize(
    "words",
    [
        "sorry, no, wait, ",
        "- er ",
        "caption the ones with ",
        "no hen? ",
        "good. ",
        "oops, ",
        "found ",
    ],
)
def test_the_time_is_in_proportion_to_the_length(words: str) -> None:
    def seconds(count: int) -> float:
        started_at = time.perf_counter()
        for _ in range(5):
            rewritten(words * count, images=1, others=1)
            selected(words * count, several=True)
        return time.perf_counter() - started_at

    seconds(20)
    assert seconds(400) < 200 * seconds(20) + 0.5
