"""Kinds of follow-ups and negations: what is carried on, named again, taken back or left out."""

from collections.abc import Callable

import pytest

from edgewright.agents.planner.plan import Plan

Steps = Callable[..., str]
Talk = Callable[..., Plan]

FOLLOWED = [
    ((("how many ducks are there?", "a.png"), ("and geese", "")), "V a"),
    ((("what is it?", "a.png"), ("thx thats all", "")), ""),
    (
        (("Describe this", "a.png"), ("If there is a boat in this one, do the same", "b.png")),
        "V b, T b if t1=yes",
    ),
    (
        (
            ("How many people?", "a.png"),
            ("Describe this", "b.png"),
            ("once more but for the earlier photo", ""),
        ),
        "T a",
    ),
    (
        (
            ("Describe it and count the hens", "a.png"),
            ("Same for this one, but no description", "b.png"),
        ),
        "V b",
    ),
    (
        (
            ("describe the second", "a.png b.png"),
            ("And the first one too, like you did with the second.", ""),
        ),
        "T a",
    ),
    ((("Is it open?", "a.png"), ("A sharper one, sorry, my hand was shaking.", "b.png")), "V b"),
    ((("classify this", "a.png"), ("Now in full sentences please.", "")), "T a"),
    ((("what is this", "a.png"), ("and what is it for", "")), "V a"),
    ((("describe it", "a.png"), ("that first picture again. is there a dog in it", "")), "V a"),
    ((("is there milk in the fridge", "a.png"), ("eggs? butter?", "")), "V a, V a"),
    ((("Write a caption", "a.png"), ("Is there a bike in the previous picture?", "")), "V a"),
]


@pytest.mark.parametrize(("turns", "expected"), FOLLOWED)
def test_follow_ups_carry_on(
    steps: Steps, turns: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert steps(*turns) == expected


LEAVING = [
    "Thank you, that's very kind. I'll be back next week with more photos.",
    "ok cheers, gotta go now, more later",
    "stop cancel that, wrong photo, I'll send the right one later",
    "Forget it, I worked it out myself.",
]


@pytest.mark.parametrize("text", LEAVING)
def test_who_takes_leave_requests_nothing(steps: Steps, text: str) -> None:
    assert steps(("Describe it", "a.png"), (text, "")) == ""


def test_thanks_before_a_request_take_nothing_from_it(steps: Steps) -> None:
    before = ("Describe the first", "a.png b.png")
    assert steps(before, ("Thanks, now the second", "")) == "T b"
    assert steps(before, ("Thank you. How many hens are there?", "")) == "V a"


BEFORE = ("Describe it and count the trees", "a.png")
RECALLED = [
    ((BEFORE, ("only the count for this one", "b.png")), "V b"),
    ((BEFORE, ("For this one I only need the first part.", "b.png")), "T b"),
    ((BEFORE, ("Both of those for this one as well.", "b.png")), "T b, V b"),
    ((("Describe it", "a.png"), ("How many trees?", ""),
      ("both questions for this one too", "b.png")), "T b, V b"),
    ((("How many vines?", "a.png"), ("caption it", ""),
      ("Repeat my first question for this one.", "b.png")), "V b"),
]  # fmt: skip


@pytest.mark.parametrize(("turns", "expected"), RECALLED)
def test_earlier_tasks_are_named(
    steps: Steps, turns: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert steps(*turns) == expected


ELLIPTIC = [
    (("Is there a helmet?", "a.png"), ("vest?", ""), "V a"),
    (("Is there a helmet?", "a.png"), ("I meant a vest", ""), "V a"),
    (("Is there a helmet?", "a.png"), ("Check this for gloves instead", "b.png"), "V b"),
    (("caption these", "a.png b.png"), ("now classify", ""), "C a, C b"),
    (("What breed is this dog?", "a.png"), ("how old do you think", ""), "V a"),
    (("Which mushroom is this?", "a.png"), ("can I eat it", ""), "V a"),
    (("describe it", "a.png"), ("shoes?", ""), "V a"),
    (("is a wheel missing?", "a.png"), ("Not that. Is the lamp broken?", ""), "V a"),
]


@pytest.mark.parametrize(("before", "text", "expected"), ELLIPTIC)
def test_few_words_ask_about_the_same_image(
    steps: Steps, before: tuple[str, str], text: tuple[str, str], expected: str
) -> None:
    assert steps(before, text) == expected


LEFT_OUT = [
    ("The second one I've already written up. Captions please.", "T a, T c"),
    ("I've already described the first myself: captions for the rest please", "T b, T c"),
    ("Classify all but don't classify the third, that one's not a bird.", "C a, C b"),
    ("Describe all except the blurry one, c.png", "T a, T b"),
    ("You can leave out a.png; the rest want classifying", "C b, C c"),
    ("Classify these. The third is just my finger, ignore it.", "C a, C b"),
    ("Captions for all. The last one is a duplicate though.", "T a, T b"),
    ("The first needs no caption, the second does", "T b"),
    ("I no longer need the count for the first, but for the third I still do.", "V c"),
    ("Nothing for the first. The 2nd I'd like a description, the 3rd tell me what plant",
     "T b, C c"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LEFT_OUT)
def test_images_are_left_out(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png b.png c.png")) == expected


UNWANTED = [
    ("Classify? No. Caption? Yes.", "T a"),
    ("I no longer want the caption", ""),
    ("It's not that I want a caption, I only want to know who's the tallest", "V a"),
    ("I was told that you train models. We don't want that. How many cows are there?", "V a"),
    ("The breed I know already. How old does she look?", "V a"),
    ("describe neither", ""),
    ("We do not need it classified. We need to know if the valve is closed.", "V a"),
    ("I no need description, only how many persons are inside.", "V a"),
    ("without telling me what it is: is it poisonous", "V a"),
    ("Caption please, it's for the newsletter, they want something short.", "T a"),
    ("Don't bother with this one, my nephew told me what it is.", ""),
]


@pytest.mark.parametrize(("text", "expected"), UNWANTED)
def test_what_is_only_spoken_of_is_not_done(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png")) == expected


def test_what_does_not_exist_is_said_beside_what_does(talk: Talk) -> None:
    plan = talk(("describe the 2nd and the 7th", "a.png b.png"))
    assert "There is no seventh image" in plan.reason
    plan = talk(("describe holiday3.png", "holiday1.png holiday2.png"))
    assert plan.reason == "No image has that name; here are holiday1.png, holiday2.png."


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I can see what it is. How many pallets though?", "How many pallets though?"),
        ("The light was bad. Is the gate open? I think somebody left it.", "Is the gate open?"),
    ],
)
def test_an_expert_gets_the_question_without_remarks(talk: Talk, text: str, question: str) -> None:
    plan = talk((text, "a.png"))
    assert plan.tasks[0].args["question"] == question


def test_remarks_help_to_read_a_request(steps: Steps) -> None:
    said = "My daughter found this shell on the beach. Name it for her."
    assert steps((said, "a.png")) == "C a"
