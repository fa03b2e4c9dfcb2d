"""Splitting requests into clauses, and finding file names and quotations in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded import mentions
from edgewright.agents.planner.embedded.arguments import ArgumentReader
from edgewright.agents.planner.embedded.grammar import clauses
from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.mentions import files, masked, quotations
from edgewright.tools.cards import CardRegistry


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Describe it.", ["Describe it."]),
        ("Classify it and describe it.", ["Classify it", "describe it."]),
        ("Is there bread and butter?", ["Is there bread and butter?"]),
        ("Caption it, then count the dogs.", ["Caption it", "then count the dogs."]),
        ("Answer: 'Is it red? Or blue?' please", ["Answer: 'Is it red? Or blue?'"]),
    ],
)
def test_clauses(text: str, clauses: list[str]) -> None:
    assert [clause.text for clause in segment(text)] == clauses


@given(st.text(max_size=200))
def test_clauses_are_spans_of_the_text_in_order(text: str) -> None:
    end = 0
    for clause in segment(text):
        assert clause.start >= end
        assert text[clause.start : clause.end] == clause.text
        end = clause.end


def test_file_names_and_quotations_are_distinguished() -> None:
    text = "Compare 'cat.jpg' with \"a dog's dinner in the yard\" and notes/speech.wav"
    assert [(found.name, found.kind) for found in files(text)] == [
        ("cat.jpg", "image"),
        ("notes/speech.wav", "audio"),
    ]
    assert quotations(text) == ["a dog's dinner in the yard"]
    assert masked(text) == "Compare image file with the given text and audio file"


@pytest.mark.parametrize(
    ("clause", "prompt"),
    [
        ("Swap the woman for a pirate, keeping her posture", "a pirate"),
        ("and then replace the man by 'an old tree'", "an old tree"),
        ("Something else entirely", "Something else entirely"),
    ],
)
def test_a_prompt_is_the_part_that_demonstrations_show(clause: str, prompt: str) -> None:
    reader = ArgumentReader(CardRegistry.builtin().get("pose-to-image"))
    assert reader.read("prompt", clause, clause) == prompt


@pytest.mark.parametrize(
    ("clause", "objects"),
    [
        ("Find all the zebras in this photo", "zebras"),
        ("Mark every goat with a box", "goat"),
        ("Detect the objects in this picture", ""),
        ("Run the object detector on it", ""),
        ("box everything in the image", ""),
    ],
)
def test_an_optional_argument_is_left_out_unless_the_words_give_it(
    clause: str, objects: str
) -> None:
    reader = ArgumentReader(CardRegistry.builtin().get("object-detection"))
    assert reader.read("objects", clause, clause) == objects


PIECES = (
    "and ", "then", " also ", "Next ", "before ", "based  on ", "so that ", "describe ", "it",
    "'s ", "photo.PNG", "'what is it?'", '"', "“a cat”", ", ", ". ", "?", "\n", ") ", "; ",
    "afterwards ",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_no_text_is_passed_over(text: str) -> None:
    """The quick searches find something in whatever the thorough ones would change."""
    assert clauses._MAY_BREAK.search(text) or not clauses._BREAK.search(text)
    assert clauses.may_quote(text) or not clauses.QUOTED.search(text)
    assert mentions._FILE.search(text) or not mentions.files(text)
