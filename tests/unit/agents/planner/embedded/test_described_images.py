"""References by what is known of images: names, times, places, what was told and asked of them."""

from collections.abc import Callable

import pytest

Steps = Callable[..., str]

ORDER = [
    ("What breed is the dog in the third to last?", "a.png b.png c.png d.png", "C b"),
    ("Describe the antepenultimate", "a.png b.png c.png d.png", "T b"),
    ("Describe the two between the barn and the mill.",
     "barn.png pond.png lane.png mill.png", "T pond, T lane"),
    ("Describe the picture between the first and the third", "a.png b.png c.png", "T b"),
    ("Describe the two flanking the altar", "left.png altar.png right.png", "T left, T right"),
    ("Middle two: describe.", "a.png b.png c.png d.png", "T b, T c"),
    ("Skip the outer two and describe what's left.", "a.png b.png c.png d.png", "T b, T c"),
    ("Starting from the second, every other one: caption", "a.png b.png c.png d.png", "T b, T d"),
    ("Caption everything before the tower.", "gate.png wall.png tower.png roof.png",
     "T gate, T wall"),
    ("Describe the picture that precedes the wreck.", "reef.png wreck.png", "T reef"),
    ("Describe the latter half", "a.png b.png c.png d.png", "T c, T d"),
    ("Top of the list: describe", "a.png b.png c.png", "T a"),
    ("The attic and the barn each need a description.", "barn.png hall.png attic.png",
     "T barn, T attic"),
    ("what flower is this - the one ending in 77", "IMG_3575.png IMG_3577.png", "C IMG_3577"),
    ("Label all the spiders, describe the bee.", "spider_a.png bee.png spider_b.png",
     "C spider_a, C spider_b, T bee"),
    ("classify #1 and #2. describe #3.", "cam0.png cam1.png cam2.png",
     "C cam0, C cam1, T cam2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), ORDER)
def test_order_and_place(steps: Steps, text: str, names: str, expected: str) -> None:
    assert sorted(steps((text, names)).split(", ")) == sorted(expected.split(", "))


NAMED = [
    ("House 12: caption. House 16: classify.", "house12.png house14.png house16.png",
     "T house12, C house16"),
    ("Describe version two", "logo_v1.png logo_v2.png", "T logo_v2"),
    ("Flat 2b: caption it.", "flat_2a.png flat_2b.png", "T flat_2b"),
    ("Describe the original, not the retouched version", "p_orig.png p_retouch.png", "T p_orig"),
    ("Describe the full-size ones", "a_full.png a_thumb.png b_full.png", "T a_full, T b_full"),
    ("Describe the attachment that is not a screenshot", "Screenshot_1.png DSC_2.png", "T DSC_2"),
    ("Describe the office photo, not the home office", "office.png home_office.png", "T office"),
    ("caption everything in /out/web", "out/web/a.png out/print/b.png", "T out/web/a"),
    ("Describe the before picture of the hall. Caption the after.",
     "hall_before.png hall_after.png yard_before.png yard_after.png",
     "T hall_before, T hall_after"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), NAMED)
def test_parts_and_numbers_of_names(steps: Steps, text: str, names: str, expected: str) -> None:
    assert steps((text, names)) == expected


TOLD = [
    ("the 1st is my cat & the 2nd is my mom's cat, describe mom's", "T b"),
    ("The first one is grandpa's orchard and the second the neighbour's. Describe grandpa's.",
     "T a"),
    ("Dad's car is the second, mum's the first. Describe mum's.", "T a"),
    ("Pic A is the fake bag n pic B the real one. describe the fake", "T a"),
    ("I have two dogs: Rex (first picture) and Bella (second picture). Describe Bella.", "T b"),
    ("#1 front view, #2 rear view. describe the rear.", "T b"),
    ("My sister took the first, I took the second. Describe mine.", "T b"),
    ("The eldest's drawing is first, then the baby's. Caption the baby's scribble.", "T b"),
    ("I took one facing north and one facing west, in that order. Describe the one facing west.",
     "T b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TOLD)
def test_what_is_told_of_each_image_names_it(steps: Steps, text: str, expected: str) -> None:
    assert steps((text, "a.png b.png")) == expected


EARLIER = [
    ((("describe it", "a.png"), ("caption it", "b.png"), ("is it open?", "c.png"),
      ("The one from two messages ago: describe it", "")), "T b"),
    ((("is there a leak?", "a.png"), ("caption it", "b.png"),
      ("Describe the one where you looked for a leak", "")), "T a"),
    ((("is there a leak?", "a.png"), ("caption it", "b.png"),
      ("describe the picture I asked a yes/no question about", "")), "T a"),
    ((("Describe the first.", "dock_w.png dock_e.png"), ("caption it", ""),
      ("describe the picture I haven't asked about", "")), "T dock_e"),
    ((("What time does the clock show?", "hall.png"), ("Describe it", "b.png"),
      ("Return to the picture with the clock and caption it", "")), "T hall"),
    ((("Describe this x-ray.", "a.png"), ("And this?", "b.png"),
      ("Caption the x-ray from the start of our chat", "")), "T a"),
    ((("Here's the chapel. Caption?", "a.png"), ("And here's the mill. Caption?", "b.png"),
      ("Describe the chapel", "")), "T a"),
    ((("Caption these", "a.png b.png"), ("Describe it", "c.png"),
      ("Classify everything from the first message", "")), "C a, C b"),
]  # fmt: skip


@pytest.mark.parametrize(("turns", "expected"), EARLIER)
def test_what_was_asked_of_an_image_names_it(
    steps: Steps, turns: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert steps(*turns) == expected


def test_no_image_between_neighbours_is_reported(talk: Callable[..., object]) -> None:
    plan = talk(("Describe the picture between the first and the second", "a.png b.png c.png"))

    assert not plan.tasks  # type: ignore[attr-defined]
    assert plan.reason == "There is no image between these."  # type: ignore[attr-defined]
