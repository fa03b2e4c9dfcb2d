"""Kinds of references: parts of names, dates, numbers, batches, and what was done before."""

from collections.abc import Callable

import pytest

Steps = Callable[..., str]

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
def test_a_part_of_a_name_is_enough(steps: Steps, text: str, names: str, expected: str) -> None:
    assert steps((text, names)) == expected


DATED = [
    ("On the right-hand gauge, is the needle in the red?", "gauge_l.png gauge_r.png", "V gauge_r"),
    ("describe the one with my dog in, it's called rex something",
     "IMG_1.png rex_beach.png", "T rex_beach"),
    ("so the selfie doesn't matter, in the team photo how many people are there",
     "selfie.png team_photo.png", "V team_photo"),
    ("what is in the noon one?", "sky-07h.png sky-12h.png", "T sky-12h"),
    ("were there any swans in the morning?", "pond_am.png pond_pm.png", "V pond_am"),
    ("is it open in the one from 3 May?", "2024-04-26.png 2024-05-03.png", "V 2024-05-03"),
    ("describe the most recent of these", "x_20230911.png x_20230910.png", "T x_20230911"),
    ("Describe page 4", "p3.png p4.png p5.png", "T p4"),
    ("Describe image no. 3 and no. 1", "a.png b.png c.png", "T c, T a"),
    ("is the door open in 0413?", "DSC_0413.png DSC_0414.png", "V DSC_0413"),
    ("I want descriptions of both bedrooms but not of the hallway",
     "bedroom1.png hallway.png bedroom2.png", "T bedroom1, T bedroom2"),
    ("caption the second bedroom", "bedroom1.png hallway.png bedroom2.png", "T bedroom2"),
    ("compare 1 and 3", "a.png b.png c.png", "V a, V c"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), DATED)
def test_dates_times_and_numbers_in_names(
    steps: Steps, text: str, names: str, expected: str
) -> None:
    assert steps((text, names)) == expected


EARLIER = [
    ((("Describe it", "a.png"), ("In the picture right before this one, is it open?", "b.png")),
     "V a"),
    ((("caption it", "front.png"), ("caption it", "garage.png"),
      ("How many windows are in the photo I sent before the garage?", "")), "V front"),
    ((("is the bin full in today's photo?", "bin_yesterday.png bin_today.png"),
      ("what about yesterday's?", "")), "V bin_yesterday"),
    ((("describe these", "a.png b.png"), ("and this", "c.png"),
      ("Last picture of the first batch: is it open?", "")), "V b"),
    ((("count the chairs in the first and describe the second", "a.png b.png"),
      ("In the one where you counted the chairs, is there a table?", "")), "V a"),
    ((("describe it", "a.png"), ("Is it open in the photo I sent before?", "b.png")), "V a"),
    ((("Is the first locked?", "a.png b.png"), ("second?", "")), "V b"),
    ((("Classify the left one", "a.png b.png"), ("now the right", "")), "C b"),
]  # fmt: skip


@pytest.mark.parametrize(("turns", "expected"), EARLIER)
def test_images_of_earlier_turns(
    steps: Steps, turns: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert steps(*turns) == expected


SEVERAL = [
    ("what's the price on the second bottle", "V b"),
    ("What is on the second floor of the house?", "V a, V b"),
    ("2nd img: count the nails", "V b"),
    ("Describe the two of them, one after the other.", "T a, T b"),
    ("Left picture: count the people. Right picture: caption.", "V a, T b"),
    ("Compare the two: which kitchen is bigger?", "V a, V b"),
    ("is there a hen in the first, and in the second?", "V a, V b"),
    ("what plant is in the first picture and which in the second?", "C a, C b"),
    ("The receipts: total on the first, date on the second.", "V a, V b"),
    ("Pic 1 - describe, pic 2 - count the dogs", "T a, V b"),
    ("I know nothing of boats. The picture is from my uncle. What is it in the second?", "C b"),
    ("Mine is the second. Classify mine.", "C b"),
]


@pytest.mark.parametrize(("text", "expected"), SEVERAL)
def test_each_image_gets_its_own_request(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png b.png")) == expected
