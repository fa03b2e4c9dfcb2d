"""Conditions and the questions that they ask."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.grammar.conditions import ConditionReader
from edgewright.agents.planner.embedded.grammar.guards import Guard, Premise
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.sentences import items, sentences

Shown = list[tuple[str, str]]


def shown(guard: Guard | None) -> str:
    if guard is None:
        return ""
    joint = " or " if guard.any else " and "
    return joint.join(f"{p.question} {p.op} {p.value}" for p in guard.premises)


def read(text: str, before: str = "") -> Shown:
    found = ConditionReader(before).pieces(sentences(text))
    return [(piece.text, shown(piece.guard)) for piece in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "If fewer than 3 hens are inside, caption it.",
            [("caption it", "how many hens are inside? at_most 2")],
        ),
        (
            "Caption it as long as there are not more than two people",
            [("Caption it", "how many people are there? at_most 2")],
        ),
        (
            "How many goats are there? If it's just the two, caption it.",
            [
                ("How many goats are there?", ""),
                ("caption it", "how many goats are there? equals 2"),
            ],
        ),
        (
            "Has the barn got a door? If it hasn't, caption it, and if it has, label it",
            [
                ("", "Has the barn got a door? equals yes"),
                ("caption it", "Has the barn got a door? equals no"),
                ("label it", "Has the barn got a door? equals yes"),
            ],
        ),
        (
            "Do we have a goat? If we do, caption it.",
            [
                ("", "Do we have a goat? equals yes"),
                ("caption it", "Do we have a goat? equals yes"),
            ],
        ),
        (
            "Look in the barn for hay. If so, caption it.",
            [
                ("", "is there hay in the barn? equals yes"),
                ("caption it", "is there hay in the barn? equals yes"),
            ],
        ),
        (
            "Caption it, though only where there's a goat",
            [("Caption it", "is there a goat? equals yes")],
        ),
        (
            "Once you've checked that there is a goat, caption it",
            [("caption it", "is there a goat? equals yes")],
        ),
        (
            "Label it, and if there's a goat in the yard caption it too.",
            [("Label it", ""), ("caption it too", "is there a goat in the yard? equals yes")],
        ),
        (
            "If there's a goat in the yard I'd like it described",
            [("I'd like it described", "is there a goat in the yard? equals yes")],
        ),
        ("if you've got a minute, caption it", [("caption it", "")]),
        ("If you don't mind, and if you get a chance, caption it", [("and caption it", "")]),
        ("Caption it if you're able to", [("Caption it", "")]),
        ("If there is a bus, caption it.", [("caption it", "is there a bus? equals yes")]),
        ("Caption it unless there is a bus.", [("Caption it", "is there a bus? equals no")]),
        (
            "Caption it, but only if nobody is in it",
            [("Caption it", "is there a person in it? equals no")],
        ),
        ("Only caption it when there's a bus.", [("caption it", "is there a bus? equals yes")]),
        ("Classify it only if it shows a mug", [("Classify it", "is there a mug? equals yes")]),
        (
            "if theres a goat tell me its breed",
            [("tell me its breed", "is there a goat? equals yes")],
        ),
        (
            "If it's a goat, caption it, otherwise classify it.",
            [
                ("caption it", "is it a goat? equals yes"),
                ("classify it", "is it a goat? equals no"),
            ],
        ),
        (
            "Is there a bus? If so, caption it, else classify it.",
            [
                ("", "Is there a bus? equals yes"),
                ("caption it", "Is there a bus? equals yes"),
                ("classify it", "Is there a bus? equals no"),
            ],
        ),
        (
            "Check for a bus first; only then caption it.",
            [("", "is there a bus? equals yes"), ("caption it", "is there a bus? equals yes")],
        ),
        ("Caption it when you see a bus", [("Caption it", "is there a bus? equals yes")]),
        ("Tell me when it shows a bus", [("Tell me when it shows a bus", "")]),
        ("Caption it if you can see a bus", [("Caption it", "is there a bus? equals yes")]),
        ("Caption it, if that's no bother", [("Caption it", "")]),
        ("Caption it if it's not too much trouble", [("Caption it", "")]),
        (
            "Caption it once you're sure that there is a bus",
            [("Caption it", "is there a bus? equals yes")],
        ),
        (
            "If it has neither cows nor a goat, caption it",
            [("caption it", "are there any cows? equals no and is there a goat? equals no")],
        ),
        (
            "If there are red boats, caption it",
            [("caption it", "are there any red boats? equals yes")],
        ),
        ("If there is grass, caption it", [("caption it", "is there grass? equals yes")]),
        (
            "If more than four boats are visible, caption it.",
            [("caption it", "how many boats are there? at_least 5")],
        ),
        (
            "Unless there are at least two boats, caption it.",
            [("caption it", "how many boats are there? at_most 1")],
        ),
        (
            "If there is a bus or a tram, caption it.",
            [("caption it", "is there a bus? equals yes or is there a tram? equals yes")],
        ),
        ("If nobody is there, caption it.", [("caption it", "is there a person? equals no")]),
        (
            "Should there be a bus in it, classify it.",
            [("classify it", "is there a bus in it? equals yes")],
        ),
        ("When you see a bus, classify it.", [("classify it", "is there a bus? equals yes")]),
        ("If the door is open, caption it.", [("caption it", "is the door open? equals yes")]),
        (
            "Classify it, and if there is a bus, caption it",
            [("Classify it", ""), ("caption it", "is there a bus? equals yes")],
        ),
        (
            "Count the hens, and if there are more than two, caption it.",
            [("Count the hens", ""), ("caption it", "how many hens are there? at_least 3")],
        ),
        (
            "How many hens are there? If fewer than two, caption it.",
            [
                ("How many hens are there?", ""),
                ("caption it", "how many hens are there? at_most 1"),
            ],
        ),
    ],
)
def test_a_condition_becomes_a_question_and_an_answer(text: str, expected: Shown) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Tell me if there is a bus.",
        "Can you see if the door is open?",
        "I wonder if that is a goat.",
        "Which breed is it, if I may ask?",
        "When was this taken?",
        "If you describe it I'll tell him.",
        "Say anything, as long as it's true.",
        "They argue if this is a frog.",
    ],
)
def test_what_only_looks_like_a_condition_is_none(text: str) -> None:
    assert all(guard == "" for _, guard in read(text))


def test_courtesy_is_no_condition() -> None:
    assert read("If you can, describe it.") == [("describe it.", "")]
    assert read("Describe it if possible.") == [("Describe it.", "")]


def test_so_refers_to_the_question_of_the_turn_before() -> None:
    assert read("If so, caption it.", "Is there a goat?") == [
        ("caption it", "Is there a goat? equals yes")
    ]


OPPOSITES = st.builds(
    Premise,
    question=st.just("q"),
    field=st.sampled_from(["answer", "count"]),
    op=st.sampled_from(["equals", "at_least", "at_most"]),
    value=st.just("3"),
).filter(lambda premise: premise.field == "count")


@given(st.lists(OPPOSITES, min_size=1, max_size=3), st.booleans())
def test_a_guard_negated_twice_is_itself(premises: list[Premise], either: bool) -> None:
    guard = Guard(tuple(premises), either and len(premises) > 1)
    assert guard.negated().negated() == guard


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    for item in items(text):
        ConditionReader().pieces(sentences(item))
    guard_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "if " * 2000,
        "a, " * 2600,
        "not " * 2000,
        "- x\n" * 2000,
        "if it is " * 800 + ",",
        "the first " * 800,
    ],
)
def test_long_texts_are_read_in_time(text: str) -> None:
    started = time.perf_counter()
    for item in items(text[:8000]):
        ConditionReader().pieces(sentences(item))
    assert time.perf_counter() - started < 10
