from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edgewright.agents.fl_coder.constraints.classifier import affirmative
from edgewright.agents.fl_coder.constraints.spans import read_constraints

HERE = Path(__file__).parent
PLAIN = yaml.safe_load((HERE / "worded.yaml").read_text("utf-8"))
INDIRECT = yaml.safe_load((HERE / "worded_indirectly.yaml").read_text("utf-8"))[1::2]
OTHERS = yaml.safe_load((HERE / "worded_by_others.yaml").read_text("utf-8"))
TOLD = yaml.safe_load((HERE / "worded_as_told.yaml").read_text("utf-8"))


def kinds(text: str) -> set[str]:
    return {each.kind for each in read_constraints(text)}


@pytest.mark.parametrize(
    ("phrase", "bare", "is_reversed"),
    [
        ("the labels are not reliable", "the labels are reliable", True),
        ("the links aren't fast", "the links are fast", True),
        ("we don't have much bandwidth", "we do have much bandwidth", True),
        ("nobody is hostile", "somebody is hostile", True),
        ("without any attackers", "any attackers", True),
        ("not only slow", "not only slow", False),
        ("no more than 2 MB", "no more than 2 MB", False),
        ("it is not that nobody cheats", "it is that somebody cheats", False),
        ("I would be surprised if not one of them cheats", "I would be one of them cheats", False),
        ("we doubt that anyone cheats", "we anyone cheats", True),
        ("plain words", "plain words", False),
    ],
)
def test_negations_are_removed_from_a_phrase(phrase, bare, is_reversed):
    assert affirmative(phrase) == (bare, is_reversed)


@pytest.mark.parametrize(
    ("cases", "min_found", "max_invented"),
    [(PLAIN, 0.9, 0.1), (INDIRECT, 0.8, 0.25), (OTHERS, 0.9, 0.1), (TOLD, 0.9, 0.1)],
)
def test_constraints_are_found_in_unseen_problems(cases, min_found, max_invented):
    expected = {case["text"]: set(case["kinds"]) for case in cases}
    actual = {text: kinds(text) for text in expected}
    found = sum(len(actual[text] & expected[text]) for text in expected)
    stated = sum(len(each) for each in expected.values())
    invented = sum(len(actual[text] - expected[text]) for text in expected)
    wrong = {t: (expected[t], actual[t]) for t in expected if actual[t] != expected[t]}
    assert found / stated >= min_found, wrong
    assert invented / len(expected) <= max_invented, wrong


def test_an_unclear_part_does_not_override_a_clear_whole():
    assert kinds("Learn garments. Each museum should end up with its own version.") == {"personal"}


def test_a_denied_constraint_is_not_returned():
    assert kinds("The labels are fine and nobody is hostile.") == set()
    assert kinds("Bandwidth is plentiful, but the devices are slow.") == {"weak-devices"}


def test_a_clear_denial_outweighs_an_unclear_statement():
    text = "n=20 clients, f<=3 Byzantine. Need a rule with tolerance to f. No DP required."
    assert kinds(text) == {"attackers"}


def test_a_constraint_comes_with_the_words_that_state_it():
    (found,) = read_constraints("Train a digit reader. Some clients may be malicious.")
    assert found.kind == "attackers"
    assert found.words == "Some clients may be malicious"
    assert found.confidence > 0.5


def test_typographic_characters_are_read_as_plain_ones():
    assert kinds("The tablets aren\u2019t fast \u2014 they are slow.") == {"weak-devices"}


@pytest.mark.parametrize("text", ["", "   ", "?!", "digits", "\n\n"])
def test_a_text_without_constraints_has_none(text):
    assert read_constraints(text) == ()
