"""Kinds of wording in conversations: quantities over images, implied conditions, parts of names."""

from collections.abc import Callable

import pytest

from edgewright.agents.planner.plan import Plan
from edgewright.tools.contracts.images import ImageRef

Talk = Callable[..., Plan]
Make = Callable[[str], ImageRef]
LETTERS = {
    "image-classification": "C",
    "image-to-text": "T",
    "visual-question-answering": "V",
    "text-recognition": "R",
    "federated-training": "F",
}
Said = tuple[str, str]


def steps(talk: Talk, image: Make, *turns: Said) -> str:
    """Return each task of the last turn: its letter, image and condition, ``T a if t1=no``."""
    plan = talk(*turns)
    names = {image(name).uri: name.rpartition(".")[0] for _, said in turns for name in said.split()}
    found = []
    for task in plan.tasks:
        about = next((names[value] for value in task.args.values() if value in names), "-")
        joint = {"all": " & ", "any": " | "}[task.when.match] if task.when else ""
        signs = {"equals": "=", "at_least": ">=", "at_most": "<=", "not": "!=", "contains": "~"}
        when = joint.join(
            f"{check.task}{signs[check.op]}{check.value}"
            for check in (task.when.checks if task.when else ())
        )
        found.append(f"{LETTERS[task.tool]} {about}{f' if {when}' if when else ''}")
    return ", ".join(found)


QUANTITIES = [
    (
        "If both show a dog, describe them.",
        "V a, V b, T a if t1=yes & t2=yes, T b if t1=yes & t2=yes",
    ),
    (
        "If there is a dog in any of them, caption the second, otherwise classify the first",
        "V a, V b, T b if t1=yes | t2=yes, C a if t1=no & t2=no",
    ),
    ("unless there's a dog in all of them, caption the second", "V a, V b, T b if t1=no | t2=no"),
    (
        "caption both unless either of them has a dog",
        "V a, V b, T a if t1=no & t2=no, T b if t1=no & t2=no",
    ),
    ("if neither of them shows a dog, caption the first", "V a, V b, T a if t1=no & t2=no"),
    ("Describe both unless there are people in them.", "V a, T a if t1=no, V b, T b if t3=no"),
    (
        "For every photo without a person, tell me what it shows",
        "V a, T a if t1=no, V b, T b if t3=no",
    ),
    (
        "Which of these have a cat in them? Describe those.",
        "V a, T a if t1=yes, V b, T b if t3=yes",
    ),
    (
        "Caption the first if there's a bus in it, and caption the second in any case.",
        "V a, T a if t1=yes, T b",
    ),
    ("does the first one show a fox? if not try the second", "V a, V b if t1=no"),
    ("Is the first brighter than the second?", "V a, V b"),
    ("are there more cows in the first than in the second?", "V a, V b"),
    ("Instead of classifying the second, caption it.", "T b"),
    ("caption the ones at both ends of the row", "T a, T b"),
    ("describe the 2nd and the 7th", "T b"),
]


@pytest.mark.parametrize(("text", "expected"), QUANTITIES)
def test_conditions_hold_of_as_many_images_as_said(
    talk: Talk, image: Make, text: str, expected: str
) -> None:
    assert steps(talk, image, (text, "a.png b.png")) == expected


IMPLIED = [
    ("Caption it unless there's a cow. Don't if it's dark.", "V a, V a, T a if t1=no & t2=no"),
    ("if theres no cat on it dont bother, otherwise classify it", "V a, C a if t1=yes"),
    ("Not if there's a face in it, but otherwise caption it", "V a, T a if t1=no"),
    (
        "Look for a ladder. Without one, skip it; with one, describe the picture.",
        "V a, T a if t1=yes",
    ),
    ("How many boxes? More than ten -> caption, fewer -> leave it.", "V a, T a if t1>=11"),
    (
        "At least three eggs? If so, caption it. Fewer than that, classify it.",
        "V a, T a if t1>=3, C a if t1<=2",
    ),
    ("Is it ripe? No? Then I don't need anything. Yes? Give me a caption.", "V a, T a if t1=yes"),
    ("Count the chairs, and should there be fewer than twelve, caption it.", "V a, T a if t1<=11"),
    ("If > 5 people, caption. Else classify it.", "V a, T a if t1>=6, C a if t1<=5"),
    ("I only want a description if you're sure it's a buzzard", "V a, T a if t1=yes"),
    (
        "Before you describe it: is it really on the arm? If it is on the arm, label it.",
        "V a, C a if t1=yes",
    ),
    ("Is anyone in the pool? Describe the pic if so.", "V a, T a if t1=yes"),
    (
        "Check whether it is snowing, and describe it if it is; if it is not, classify it.",
        "V a, T a if t1=yes, C a if t1=no",
    ),
    ("describe it - but not if there's blood in it, I'm squeamish", "V a, T a if t1=no"),
    (
        "Count the cows. If there are up to four, stop. If there are more than four, label it.",
        "V a, C a if t1>=5",
    ),
    ("My eyes aren't what they were. Is the gate open? I think somebody left it.", "V a"),
    ("Instead of the usual description I want to know how many windows there are", "V a"),
    (
        "Train a new model for lambs, but only if there are sheep in this photo.",
        "V a, F - if t1=yes",
    ),
]


@pytest.mark.parametrize(("text", "expected"), IMPLIED)
def test_implied_conditions_are_conditions(
    talk: Talk, image: Make, text: str, expected: str
) -> None:
    assert steps(talk, image, (text, "a.png")) == expected


NAMED = [
    (
        "Describe all of them except the one of the bathroom",
        "living.png bathroom.png terrace.png",
        "T living, T terrace",
    ),
    ("how many candles on Maya's cake?", "leo_cake.png maya_cake.png", "V maya_cake"),
    ("count the pallets, they're on the back", "box_front.png box_back.png", "V box_back"),
    ("what's in 4822", "IMG_4821.png IMG_4822.png", "T IMG_4822"),
    ("go back to monday's, is it red?", "wound_mon.png wound_wed.png", "V wound_mon"),
    ("caption the second carton", "carton_1.png carton_2.png", "T carton_2"),
    (
        "Take the two dog pics and caption each",
        "brown_dog.png cat.png white_dog.png",
        "T brown_dog, T white_dog",
    ),
    ("describe holiday3.png for the album", "holiday1.png holiday2.png", ""),
    (
        "what colour is the bus in the other? Don't bother with the dog picture",
        "dog.png bus.png",
        "V bus",
    ),
    (
        "caption the sheep field, the other one is just my gate",
        "sheep_field.png gate.png",
        "T sheep_field",
    ),
]


@pytest.mark.parametrize(("text", "names", "expected"), NAMED)
def test_a_part_of_a_name_is_enough(
    talk: Talk, image: Make, text: str, names: str, expected: str
) -> None:
    assert steps(talk, image, (text, names)) == expected


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
    ((("is there milk in the fridge", "a.png"), ("eggs? butter?", "")), "V a, V a"),
    ((("Write a caption", "a.png"), ("Is there a bike in the previous picture?", "")), "V a"),
]


@pytest.mark.parametrize(("turns", "expected"), FOLLOWED)
def test_follow_ups_carry_on(
    talk: Talk, image: Make, turns: tuple[Said, ...], expected: str
) -> None:
    assert steps(talk, image, *turns) == expected


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


def test_remarks_help_to_read_a_request(talk: Talk, image: Make) -> None:
    said = "My daughter found this shell on the beach. Name it for her."
    assert steps(talk, image, (said, "a.png")) == "C a"
