"""Proposals are held to what the person said, and show what was read of it."""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.agents.fl_coder.promised import with_statements
from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.tools.federated.records.candidate import TrimmedMean
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.trial import ModelFacts

SMALL = ModelFacts(parameters=2500, weight_bytes=10_000, flop_per_sample=1e6)


@pytest.mark.parametrize(
    "words",
    [
        "at most 5 rounds",
        "20 kilobytes a round",
        "It must run on a microcontroller with 256 KB",
        "FedProx with mu 0.1",
        "four malicious clients",
        "differential privacy per image with epsilon 3",
        "differential privacy of each hospital as a whole with epsilon 3",
        "differential privacy per image with epsilon 3, and two of the clients are malicious",
        "differential privacy per image with epsilon 3, in at most 4 rounds",
    ],
)
def test_the_embedded_design_holds_what_plain_fedavg_does_not(make_card, words):
    card = make_card(10, side=28)
    promises = read_promises(f"Read digits. {words}.", 10)
    large = SMALL.model_copy(update={"weight_bytes": 400_000})
    assert broken(plain_candidate(card), promises, 10, large)
    design = first_design(f"Read digits. {words}.", card)
    assert broken(design.candidate, promises, 10, SMALL) == ()


def test_privacy_per_image_is_noise_of_the_clients_and_keeps_a_robust_strategy(make_card):
    words = "Digits. Differential privacy per image, epsilon 3. Two of the ten are malicious."
    candidate = first_design(words, make_card(10, samples=5400, side=28)).candidate
    assert isinstance(candidate.local_privacy, DpSgd)
    assert candidate.local_privacy.epsilon == 3
    assert isinstance(candidate.strategy, TrimmedMean)
    assert candidate.strategy.tolerates(10) == 2


def test_a_proposal_shows_what_was_read_beside_the_words(make_card):
    card = make_card(20)
    promises = read_promises("Digits. Four malicious clients. Use FedNova. Five rounds.", 20)
    proposal = Proposal(candidate=plain_candidate(card), coder="chat-model")
    shown = with_statements(proposal, promises, card)
    assert [(each.words, each.choice) for each in shown.choices] == [
        ("Four malicious clients", "4 hostile clients at once"),
        ("Five rounds", "at most 5 rounds"),
        ("Use FedNova", "not held"),
    ]
    assert with_statements(shown, promises, card).choices == shown.choices


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Some clients may be malicious.", "How many of the 10 clients may be hostile"),
        ("Differential privacy, please.", "Which epsilon"),
        ("Half of the clients may be malicious.", "no aggregation rule"),
        ("DP for each hospital, epsilon 1.", "unlikely to give a usable model"),
    ],
)
def test_an_unclear_or_hopeless_promise_asks_the_person(make_card, words, asked):
    card = make_card(10)
    proposal = Proposal(candidate=plain_candidate(card), coder="embedded")
    shown = with_statements(proposal, read_promises(words, 10), card)
    assert asked in " ".join(shown.questions)


def test_the_forecast_says_that_much_data_keep_their_accuracy(make_card):
    words = "Fashion. Differential privacy per image, epsilon 3, delta 1e-5."
    card = make_card(10, samples=5400, side=28)
    design = first_design(words, card)
    assert "98% of the accuracy above chance" in design.choices[-1].reason
    proposal = Proposal(candidate=design.candidate, coder="embedded")
    assert with_statements(proposal, read_promises(words, 10), card).questions == ()


@pytest.mark.parametrize("persons", [0, 300])
def test_persons_are_protected_by_themselves_only_if_the_data_name_them(make_card, persons):
    words = "Scans. Patient-level differential privacy, epsilon 3, delta 1e-5."
    card = make_card(10, side=28).model_copy(update={"persons": persons})
    candidate = first_design(words, card).candidate
    assert broken(candidate, read_promises(words, 10), 10, SMALL) == ()
    assert candidate.strategy.name == ("fedavg" if persons else "private")
    assert candidate.local_privacy.name == ("dp-sgd" if persons else "none")
