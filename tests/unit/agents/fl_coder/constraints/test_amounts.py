"""Quantities are found in every form, and each is read as what the words around it make it."""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.amounts import reader
from edgewright.agents.fl_coder.constraints.amounts.features import encoded, passage_words
from edgewright.agents.fl_coder.constraints.amounts.mentions import find_mentions
from edgewright.agents.fl_coder.constraints.amounts.phrases import load_phrases
from edgewright.agents.fl_coder.constraints.amounts.values import (
    clients_in_round,
    hostile_clients,
    possible,
    value_of,
)
from edgewright.agents.fl_coder.constraints.places import sentences
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.text.array_cache import read_arrays


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("two of 15 nodes", [("two of 15", "number", 2, 15)]),
        ("one client in five", [("one client in five", "number", 1, 5)]),
        (
            "four wrong answers in a hundred",
            [("four wrong answers in a hundred", "number", 4, 100)],
        ),
        ("three shops in 12 towns", [("three", "number", 3, 0), ("12", "number", 12, 0)]),
        ("a fifth of them", [("a fifth", "share", 0.2, 0)]),
        ("an hour and a half", [("an hour and a half", "seconds", 5400, 0)]),
        ("half a megabyte", [("Half a megabyte", "bytes", 5e5, 0)]),
        ("from 8 a.m. to noon", [("8 a.m. to noon", "seconds", 14_400, 0)]),
        ("after the 12th training round", [("12th", "ordinal", 12, 0)]),
        ("a handful of nodes", [("a handful", "vague", 0, 0)]),
        ("none of the 3 clinics, and ln 4", []),
        ("at most the usual, who knows how many", []),
    ],
)
def test_a_quantity_is_found_with_its_measure_and_its_whole(words, found):
    mentions = find_mentions(words)
    assert [(m.place.words.lower(), m.measure, m.low, m.of) for m in mentions] == [
        (words.lower(), *rest) for words, *rest in found
    ]


@pytest.mark.parametrize(
    ("words", "role", "clients", "count"),
    [
        ("fewer than seven of our 25", "attackers", 25, 6),
        ("under half", "attackers", 21, 10),
        ("at least three", "attackers", 20, None),
        ("more than three", "attackers", 20, None),
        ("no more than three", "attackers", 20, 3),
        ("17 of the 20", "honest", 20, 3),
        ("12.5 percent", "attackers", 20, 3),
        ("2 to 5", "attackers", 20, 5),
    ],
)
def test_hostile_clients_are_counted_at_the_safe_end(words, role, clients, count):
    (mention,) = find_mentions(words)
    assert hostile_clients(mention, role, clients) == count


@pytest.mark.parametrize(
    ("words", "role", "count"),
    [
        ("a third", "participation", 10),
        ("a third", "absent", 20),
        ("all 30", "participation", None),
    ],
)
def test_clients_of_a_round_are_counted(words, role, count):
    (mention,) = find_mentions(words)
    assert clients_in_round(mention, role, 30) == count


def test_a_lower_bound_is_no_limit_and_an_upper_one_may_be_strict():
    (least,) = find_mentions("at least 20")
    (under,) = find_mentions("fewer than 20")
    assert "rounds" not in possible(least)
    assert "accuracy" in possible(least)
    assert value_of(under, "rounds") == 19


def test_a_mark_names_what_a_quantity_stands_for():
    source = b"""
amounts: ["12: Up to {four|attackers} of our twelve farms. {Beware|attackers}!", "Two dogs."]
units: {none: [Hi], sample: [], person: [Per patient and not per scan.], client: [], unnamed: []}
nouns: {person: [patient, pupil], sample: [scan, page], client: [farm, bank]}
"""
    phrases = load_phrases(source, variants=1)
    first, second = phrases.amounts
    assert (first.clients, first.is_hostile, second.is_hostile) == (12, True, False)
    assert [(m.place.words, role) for m, role in first.mentions()] == [
        ("four of our twelve", "attackers"),
    ]  # fmt: skip
    swapped = [text for text, said in phrases.units if said == "person"][1:]
    assert swapped[0].startswith(("Per pupil and", "Per patient and"))
    assert swapped != ["Per patient and not per scan."]


def test_a_noun_after_a_negation_is_another_word():
    assert "<not-sample>" in passage_words("Per patient, not per scan")
    assert "<person>" in passage_words("Per patient, not per scan")


def test_the_shipped_layers_are_those_of_the_phrases(tmp_path):
    stored = read_arrays(reader.SHIPPED)
    assert stored is not None
    reader.load_layers(tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing was fitted again


def test_one_word_decides_what_a_number_stands_for():
    told = [
        "Up to four of the clinics may cheat.",
        "Up to four of the clinics take part in a round.",
        "Up to four of the clinics are in Spain.",
    ]
    roles = [read_amounts_of(each) for each in told]
    assert roles == [["attackers"], ["participation"], ["none"]]


def read_amounts_of(words: str) -> list[str]:
    return [each.role for each in reader.read_amounts(encoded(sentences(words)), 20)]


def test_two_epsilons_are_asked_about_and_the_smaller_is_held():
    promises = read_promises("DP with epsilon 2. An epsilon of 6 would do for DP.", 20)
    assert promises.privacy is not None and promises.privacy.epsilon == 2
    assert "Epsilon is 2 in one place and 6 in another" in " ".join(promises.questions)


@pytest.mark.parametrize(
    ("words", "epsilon"),
    [("eps<=4 thanks", 4), ("DP: epsilon = 2", 2), ("Use Adam, eps=1e-8.", None)],
)
def test_a_note_in_symbols_is_read_as_it_stands(words, epsilon):
    privacy = read_promises(words, 20).privacy
    assert (privacy.epsilon if privacy else None) == epsilon


@pytest.mark.parametrize(
    ("words", "attackers", "epsilon"),
    [
        ("Bulletproof against two bad apples, grade 7 attack.", 2, None),
        ("Should two conspire, the model must not budge.", 2, None),
        ("up to 3 of 15", 3, None),
        ("DP it is, and 0.7 is the figure for the privacy.", None, 0.7),
        ("An epsilon is needed for DP, and it must not exceed three.", None, 3),
        ("Dermatologists get 90 % right.", None, None),
    ],
)
def test_quantities_that_stand_apart_from_what_they_are_of(words, attackers, epsilon):
    promises = read_promises(words, 15)
    assert (promises.attackers.count if promises.attackers else None) == attackers
    assert (promises.privacy.epsilon if promises.privacy else None) == epsilon
    assert promises.questions == ()


def test_a_hostile_client_without_a_number_is_asked_about():
    promises = read_promises("a participant lies", 10)
    assert promises.attackers.count >= 1
    assert "How many of the 10 clients may be hostile" in promises.questions[0]
