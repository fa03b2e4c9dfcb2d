"""Kinds of conditions: quantities over images, implied ones, those that refer to a question."""

from collections.abc import Callable

import pytest

Steps = Callable[..., str]

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
def test_conditions_hold_of_as_many_images_as_said(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png b.png")) == expected


IMPLIED = [
    # "If it is" says that it is so, whatever the condition before was; "if so" takes that up.
    ("If there is no cow, do nothing. If there is, describe it.", "V a, T a if t1=yes"),
    ("If there isn't a single cow, skip it. If there are some, classify it.", "V a, C a if t1=yes"),
    ("If it's not red I need nothing more, if it is, classify it.", "V a, C a if t1=yes"),
    ("Is there no dog? If there is, describe it.", "V a, T a if t1=yes"),
    ("If it isn't open, skip it; if so, describe it.", "V a, T a if t1=no"),
    (
        "Describe it unless there is a dog. If there is, classify it.",
        "V a, T a if t1=no, C a if t1=yes",
    ),
    (
        "If there's no dog, classify it. If there is, describe it.",
        "V a, C a if t1=no, T a if t1=yes",
    ),
    ("If nobody is there, leave it; if somebody is, caption it.", "V a, T a if t1=yes"),
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
def test_implied_conditions_are_conditions(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png")) == expected


REFERRING = [
    ("Would you mind checking if the lid is on? If it's off, describe the pan.",
     "V a, T a if t1=no"),
    ("My sister wants to know if there is a squirrel. If there is, where is it?",
     "V a, V a if t1=yes"),
    ("Tell me, are the shutters down? If they're up, describe the shop.", "V a, T a if t1=no"),
    ("if it's, um, raining then uh caption it", "V a, T a if t1=yes"),
    ("describe it if, and this matters, nobody is in the picture", "V a, T a if t1=no"),
    ("If there's a crack describe it, my boss wants to know.", "V a, T a if t1=yes"),
    ("Is the fence intact? If it's broken, describe it.", "V a, T a if t1=no"),
    ("Is the soil dry? If dry describe it, if wet skip it.", "V a, T a if t1=yes"),
    ("is the hut open or not? caption it if shut", "V a, T a if t1=no"),
    ("Tell me whether the light is on. If it's off, describe the room.", "V a, T a if t1=no"),
    ("is the door shut? if its open caption it, if its closed classify it",
     "V a, T a if t1=no, C a if t1=yes"),
    ("See if the baby is asleep. Awake? Describe the room.", "V a, T a if t1=no"),
    ("Is the ladder still there? Describe the wall in case it's gone.", "V a, T a if t1=no"),
    ("Check the beam for rust. If it's rusty, describe it.", "V a, T a if t1=yes"),
    ("My sister says there's a mouse in this. Is there? If so, where?", "V a, V a if t1=yes"),
    ("Could be a duck. If it's not, tell me what it is.", "V a, C a if t1=no"),
    ("I can't tell whether the gate is open. If it is, tell me how wide.", "V a, V a if t1=yes"),
    ("Would you check if anyone's there, and describe it if there is?", "V a, T a if t1=yes"),
    ("1) say if the yard is flooded 2) if so, how deep 3) if not, describe it",
     "V a, V a if t1=yes, T a if t1=no"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REFERRING)
def test_conditions_refer_to_what_was_asked(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png")) == expected


COUNTING = [
    ("count the boats. under ten? caption. ten or more? classify",
     "V a, T a if t1<=9, C a if t1>=10"),
    ("How many hens do you see? Fewer than 8 and I need a description.", "V a, T a if t1<=7"),
    ("If the number of cars exceeds 20 describe the car park", "V a, T a if t1>=21"),
    ("Count the boats. If the total reaches 12, describe the harbour.", "V a, T a if t1>=12"),
    ("one person: caption it. several: count them", "V a, T a if t1=1, V a if t1>=2"),
    ("Are there at least 3 ducks? If there are, caption.", "V a, T a if t1>=3"),
    ("Please count the sheep and describe the field if there are over 20 of them.",
     "V a, T a if t1>=21"),
    ("Bird count? Three or more: classify", "V a, C a if t1>=3"),
    ("Do you see birds? If there are none, describe the sky.", "V a, T a if t1=no"),
    ("Does the house have at least three windows? Then describe it.", "V a, T a if t1>=3"),
    ("if the bike has got only one wheel write a caption", "V a, T a if t1=1"),
    ("When more than six people are queueing, describe it.", "V a, T a if t1>=7"),
    ("I make it 8 lambs. If you get 8 as well, describe the field.", "V a, T a if t1=8"),
    ("Count the screws. With fewer than 12 I want a caption, with 12 or more nothing.",
     "V a, T a if t1<=11"),
    ("How many jars? If it's ten or more that's enough for me, if it's fewer classify them.",
     "V a, C a if t1<=9"),
    ("Count the steps and, if there are more than twelve, describe them.", "V a, T a if t1>=13"),
    ("If it shows over 20 degrees, describe it.", "V a, T a if t1=yes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), COUNTING)
def test_conditions_compare_what_was_counted(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png")) == expected


BRANCHES = [
    ("hard hat? yes -> nothing. no -> describe the person", "V a, T a if t1=no"),
    ("If there's a wasp nest describe it, if there's none don't say anything",
     "V a, T a if t1=yes"),
    ("If nobody is there I need nothing further; if somebody is, describe them.",
     "V a, T a if t1=yes"),
    ("should it be intact, no reply necessary; if it's not, caption it", "V a, T a if t1=no"),
    ("Is anybody in? If there is, don't describe it. If there isn't, do.", "V a, T a if t1=no"),
    ("caption this, or if it is too dark classify it", "V a, T a if t1=no, C a if t1=yes"),
    ("no description if children are visible, otherwise describe it", "V a, T a if t1=no"),
    ("Caption it if it's outdoors, classify if indoors.", "V a, T a if t1=yes, C a if t1=no"),
    ("A description if the roof is damaged, a caption if it's intact",
     "V a, T a if t1=yes, T a if t1=no"),
    ("cat? caption. dog? classify.", "V a, T a if t1=yes, V a, C a if t3=yes"),
    ("Caption it unless there's snow, in which case tell me how deep it is.",
     "V a, T a if t1=no, V a if t1=yes"),
    ("tell me what it says if there's writing on it, else classify it",
     "V a, V a if t1=yes, C a if t1=no"),
    ("Describe it. If it's blurry, don't bother.", "V a, T a if t1=no"),
    ("No caption if there's a face in it.", "V a, T a if t1=no"),
    ("Describe it (only if rusty).", "V a, T a if t1=yes"),
    ("Only if the lamp is on do I want to know who is there.", "V a, V a if t1=yes"),
    ("Assuming there's a ramp, describe it; without a ramp, count the steps.",
     "V a, T a if t1=yes, V a if t1=no"),
    ("If it has a cat but no dog, caption it", "V a, V a, T a if t1=yes & t2=no"),
    ("First check whether the stove is off, then describe the kitchen.", "V a, T a"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BRANCHES)
def test_branches_are_told_apart(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png")) == expected


CHOSEN = [
    ("Describe the first in any case, and the second only when there's a person in it.",
     "T a, V b, T b if t2=yes"),
    ("caption both but the second only if its in focus", "T a, V b, T b if t2=yes"),
    ("The second photo: if there's a car in it, what colour is it?", "V b, V b if t1=yes"),
    ("Is there a bird in the first? And in the second? Describe whichever has one.",
     "V a, V b, T a if t1=yes, T b if t2=yes"),
    ("If the first is in focus, classify the beetle in it. If not, use the second.",
     "V a, C a if t1=yes, C b if t1=no"),
    ("Is the roof damaged in any of these? Caption the damaged ones.",
     "V a, V b, T a if t1=yes, T b if t2=yes"),
    ("See if there's a crack in any of these. Cracked ones: describe.",
     "V a, V b, T a if t1=yes, T b if t2=yes"),
    ("For the sharp ones I want captions", "V a, T a if t1=yes, V b, T b if t3=yes"),
    ("Caption those where the sun is out.", "V a, T a if t1=yes, V b, T b if t3=yes"),
    (
        "Describe the first one, or the second one if the first is blurry.",
        "V a, T a if t1=no, T b if t1=yes",
    ),
    ("Look at the first. If the lamp is broken, describe the second.", "V a, T b if t1=yes"),
    ("If both have a dog, describe both.",
     "V a, V b, T a if t1=yes & t2=yes, T b if t1=yes & t2=yes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CHOSEN)
def test_conditions_choose_images(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png b.png")) == expected


def test_a_condition_refers_to_the_question_of_the_turn_before(steps: Steps) -> None:
    asked = ("Is the door open?", "a.png")
    assert steps(asked, ("And if it's closed, describe the room.", "")) == "V a, T a if t1=no"
    ruled = ("If there's a ladder, describe it", "a.png")
    again = ("Same rule for this one: describe it only if there is a ladder.", "b.png")
    assert steps(ruled, again) == "V b, T b if t1=yes"
    counted = ("How many cows are there?", "a.png")
    assert steps(counted, ("if more than ten, describe the meadow", "")) == "V a, T a if t1>=11"
