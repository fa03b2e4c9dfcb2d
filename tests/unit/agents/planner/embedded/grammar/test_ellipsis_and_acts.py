"""Follow-ups, lists, fragments, and acts outside of the catalogue."""

import pytest

from edgewright.agents.planner.embedded.grammar.acts import (
    acts_outside,
    addressed,
    is_closing,
    split_acts,
)
from edgewright.agents.planner.embedded.grammar.ellipsis import (
    continued,
    repeats,
    topic,
    without_pronouns,
)
from edgewright.agents.planner.embedded.grammar.finding import mentions
from edgewright.agents.planner.embedded.grammar.fragments import completed
from edgewright.agents.planner.embedded.grammar.sentences import items, sentences, states


@pytest.mark.parametrize(
    ("text", "new_images"),
    [
        ("and this one?", True),
        ("again please", False),
        ("are you sure?", False),
        ("ditto", True),
        ("the same for the second picture", False),
        ("?", True),
        ("no, the other one", False),
    ],
)
def test_a_text_without_content_repeats_the_turn_before(text: str, new_images: bool) -> None:
    assert repeats(text, mentions(text, ["a.jpg", "b.jpg"]), new_images=new_images)


@pytest.mark.parametrize(
    "text",
    ["is it red?", "and the colour?", "no", "classify the second one", "what is in the first?"],
)
def test_content_of_its_own_is_no_repetition(text: str) -> None:
    assert not repeats(text, mentions(text, ["a.jpg", "b.jpg"]), new_images=False)


@pytest.mark.parametrize(
    ("text", "before", "question"),
    [
        ("and a goat?", "Is there a cow?", "is there a goat?"),
        (
            "what about any birds?",
            "Is there a cow in the picture?",
            "are there any birds in the picture?",
        ),
        ("and a goat?", "", "is there a goat?"),
        ("and the door?", "What colour is the roof?", "What colour is the door?"),
        (
            "And on the left?",
            "Who is on the right of the picture?",
            "Who is on the left of the picture?",
        ),
        ("how many?", "Are there any boats?", "how many boats are there?"),
        ("I said goats not cows", "how many cows are there?", "how many goats are there?"),
        ("not a cow, a goat", "Is there a cow?", "Is there a goat?"),
        ("and now the label", "Is there a cow?", ""),
        ("and goats?", "how many cows are there?", "how many goats are there?"),
        ("what about goats?", "how many cows are on the hill?", "how many goats are on the hill?"),
        ("and goats?", "", ""),
        ("and outside?", "how many cows are there?", ""),
        ("or blue?", "is the roof red?", "is the roof blue?"),
        ("and in the first one, is there a goat?", "is there a cow?", ""),
        ("describe it", "Is there a cow?", ""),
    ],
)
def test_a_new_noun_or_place_completes_the_question_before(
    text: str, before: str, question: str
) -> None:
    assert continued(text, before) == question


@pytest.mark.parametrize(
    ("text", "noun", "said"),
    [
        ("What colour is it?", "goat", "What colour is the goat?"),
        ("and where are they?", "people", "where are the people?"),
        ("where?", "goat", "where is the goat?"),
        ("is it on the left?", "goat", "is the goat on the left?"),
        ("Draw boxes around them.", "boats", "Draw boxes around the boats."),
        ("Are there any boats? Count them.", "", "Are there any boats? Count the boats."),
        (
            "is there a goat, and what colour is it?",
            "",
            "is there a goat, and what colour is the goat?",
        ),
        ("is it black and white?", "goat", "is it black and white?"),
        ("describe it", "goat", "describe it"),
        ("what colour is it?", "", "what colour is it?"),
    ],
)
def test_a_pronoun_stands_for_what_a_question_before_is_about(
    text: str, noun: str, said: str
) -> None:
    assert without_pronouns(text, noun)[0] == said


def test_fragments_become_questions() -> None:
    assert completed("bus: yes or no") == "is there a bus?"
    assert completed("Rome or Paris?") == "Is it Rome or Paris?"
    assert completed("describe it") == "describe it"
    assert completed("please tell me more about it") == "Describe the picture."
    assert completed("keywords, please") == "Label the picture."


@pytest.mark.parametrize("text", ["Thanks, that's all!", "thank you very much", "ok great, bye"])
def test_thanks_ask_for_nothing(text: str) -> None:
    assert is_closing(text)
    assert not is_closing(f"{text} Describe it.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- caption it\n- is there a bus?", ["caption it", "is there a bus?"]),
        ("1) a caption 2) a label", ["a caption", "a label"]),
        ("(a) caption it (b) classify it", ["caption it", "classify it"]),
        ("caption; label; bus present?", ["caption", "label", "bus present?"]),
        ("i) caption it ii) is it red?", ["caption it", "is it red?"]),
        ("[ ] caption [ ] label", ["caption", "label"]),
        ("☐ caption it\n☐ label it", ["caption it", "label it"]),
        ("1\ufe0f\u20e3 caption 2\ufe0f\u20e3 label", ["caption", "label"]),
        ("Step 1: caption it. Step 2: label it.", ["caption it.", "label it."]),
        ("caption & label", ["caption", "label"]),
        ("caption, tags", ["caption", "tags"]),
        ("caption / label / any hens?", ["caption", "label", "any hens?"]),
        ("a.jpg - caption\nb.jpg - label", ["a.jpg - caption\nb.jpg - label"]),
        ("Caption it / label it", ["Caption it", "label it"]),
        ("a title, tags and text please", ["a title", "tags", "text"]),
        ("Describe the black & white hen", ["Describe the black & white hen"]),
        ("Is the hen / goat red?", ["Is the hen / goat red?"]),
        ("Do this:\n* caption it\n* label it", ["Do this:", "caption it", "label it"]),
        ("There were 3 people (in 2. row)", ["There were 3 people (in 2. row)"]),
        (
            "I sorted it; she moved the data away again",
            ["I sorted it; she moved the data away again"],
        ),
        ("What is it?\n\n--\nSent by me", ["What is it?"]),
    ],
)
def test_lists_are_split(text: str, expected: list[str]) -> None:
    assert items(text) == expected


def test_sentences_are_split_where_people_forget_the_space() -> None:
    assert sentences("Caption it.Is it red? See no. 3 in cat.jpg.") == [
        "Caption it.",
        "Is it red?",
        "See no. 3 in cat.jpg.",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Can you draw a house for me?", "create images"),
        ("Please generate a picture of a fox", "create images"),
        ("Segment the horse", "draw on images or cut things out"),
        ("Draw a box around the horse", "draw boxes on images"),
        ("rotate it", "edit images"),
        ("Turn the photo into a painting", "edit images"),
        ("Add a moustache to the man", "edit images"),
        ("Every morning, describe the yard", "watch over time"),
        ("Rename this file", "handle files"),
        ("Email this picture to Ann", "send things to people"),
        ("Alert me whenever a car comes", "watch over time"),
        ("Switch the lamp off", "switch devices"),
        ("Write me a shell script", "write programs"),
        ("Who is this?", "tell who somebody is"),
    ],
)
def test_acts_outside_of_the_catalogue_are_named(text: str, name: str) -> None:
    remaining, found = split_acts(text, acts_outside(set(), []))
    assert (remaining, [act.name for act in found]) == ("", [name])


@pytest.mark.parametrize(
    "text",
    [
        "Draw a knight in the same pose",
        "Copy her pose onto a robot",
        "Mark the joints",
        "make a caption for my holiday photo",
        "Watch my mood for signs of stress",
        "Turn the jogger into a knight",
        "Add a caption to the photo",
        "I see this bird every morning, what is it?",
        "Who is holding the cup?",
    ],
)
def test_acts_of_the_catalogue_are_left_alone(text: str) -> None:
    assert split_acts(text, acts_outside(set(), [])) == (text, [])


def test_an_act_that_a_card_serves_is_left_alone() -> None:
    assert split_acts("Draw a boat", acts_outside({"text-to-image"}, [])) == ("Draw a boat", [])


def test_the_other_clauses_of_a_request_remain() -> None:
    remaining, found = split_acts("Crop it and describe it", acts_outside(set(), []))
    assert remaining == "describe it"
    assert [act.name for act in found] == ["edit images"]


def test_a_card_whose_own_requests_ask_for_an_act_does_it() -> None:
    pump = ["turn on the garden pump", "start watering", "the garden needs water"]
    assert split_acts("Turn on the garden pump", acts_outside(set(), [pump]))[1] == []


def test_an_unusual_request_of_a_card_leaves_an_act_outside() -> None:
    pose = ["draw a man in the pose of this person", *["find the pose of this person"] * 19]
    assert split_acts("Draw a boat", acts_outside(set(), [pose]))[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hi", "greeting"),
        ("Good morning, how are you?", "greeting"),
        ("What can you do?", "abilities"),
        ("hello, what can I ask?", "abilities"),
        ("help", "abilities"),
        ("thanks, bye", "thanks"),
        ("What did it cost?", "cost"),
        ("ok, and how long did that take?", "cost"),
        ("how many bytes did you send", "cost"),
        ("Where did it run?", "cost"),
        ("What does the melon cost?", ""),
        ("how long is the snake?", ""),
        ("hi, what is this?", ""),
        ("help me describe it", ""),
        ("what can you see?", ""),
    ],
)
def test_what_is_only_said_to_the_planner_is_told_apart(text: str, said: str) -> None:
    assert addressed(text) == said


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("how many cups are there on the table?", "cups"),
        ("is there a goat in the picture?", "goat"),
        ("where is the goat?", "goat"),
        ("what flower is this?", "flower"),
        ("which kind of bird are these", "bird"),
        ("what colour is this?", ""),
    ],
)
def test_a_pronoun_stands_for_the_noun_of_the_question(question: str, noun: str) -> None:
    assert topic(question) == noun


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the picture is blurry.", True),
        ("Most are in the album already.", True),
        ("I've scanned six postcards.", True),
        ("the picture has to be described.", False),
        ("They are goats, aren't they?", False),
        ("It is dark, caption it.", False),
        ("Is it dark?", False),
        ("I need the breed.", False),
    ],
)
def test_a_statement_requests_nothing(text: str, expected: bool) -> None:
    assert states(text) is expected
