from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.tools.federated.app.privacy import epsilon_spent, noise_for
from edgewright.tools.federated.records.candidate import ROBUST, Int8, Private


def test_a_design_without_constraints_is_plain_fedavg(make_card):
    card = make_card()
    design = first_design("ten clinics have photos of digits; I need a classifier", card)
    assert design.candidate == plain_candidate(card)
    assert design.choices == ()


def test_large_data_and_large_images_get_fewer_rounds(make_card):
    small, many = plain_candidate(make_card()), plain_candidate(make_card(samples=5000, side=28))
    large = plain_candidate(make_card(samples=500, side=96, channels=3))
    assert many.rounds < small.rounds
    assert large.rounds < small.rounds
    assert small.batch_size < many.batch_size


def test_slow_links_lead_to_fewer_bytes(make_card):
    card = make_card(side=28)
    design = first_design("Recognise digits. The links are metered and slow.", card)
    assert isinstance(design.candidate.compression, Int8)
    assert design.candidate.rounds < plain_candidate(card).rounds
    assert [choice.words for choice in design.choices] == ["The links are metered and slow"] or (
        "links are metered" in design.choices[0].words
    )


def test_weak_devices_lead_to_a_light_model(make_card):
    design = first_design("Train on old phones with a weak processor.", make_card(side=28))
    assert read(design.candidate, "model")[0] == "light"


@pytest.mark.parametrize("clients", [3, 4, 5, 10, 30])
def test_attackers_lead_to_a_robust_strategy_that_can_work(make_card, clients):
    design = first_design("Some clients may be malicious.", make_card(clients))
    strategy = design.candidate.strategy
    assert strategy.name in ROBUST
    assert strategy.refusal(clients) == ""
    assert clients < 5 or strategy.tolerates(clients) >= 1


def test_the_stated_number_of_attackers_is_tolerated(make_card):
    design = first_design("Three of the ten clients may be malicious.", make_card(10))
    assert design.candidate.strategy.tolerates(10) == 3


def test_the_number_of_attackers_may_come_after_the_words_about_them(make_card):
    words = "Byzantine clients: up to 3 of 15. Task: clothing images."
    assert first_design(words, make_card(15)).candidate.strategy.tolerates(15) == 3


def test_two_clients_cannot_outvote_anybody(make_card):
    design = first_design("Some clients may be malicious.", make_card(2))
    assert design.candidate.strategy.name == "fedavg"
    assert "guard" in design.choices[0].choice


def test_a_stated_budget_lasts_for_all_rounds(make_card):
    design = first_design("We have a privacy budget: epsilon 4, delta 1e-6.", make_card())
    strategy = design.candidate.strategy
    assert isinstance(strategy, Private)
    assert (strategy.epsilon, strategy.delta) == (4, 1e-6)
    spent = epsilon_spent(
        noise_multiplier=strategy.noise_multiplier, rounds=design.candidate.rounds, delta=1e-6
    )
    assert 3.5 < spent <= 4


def test_a_budget_alone_is_enough(make_card):
    design = first_design("Digits, please, (2, 1e-5).", make_card())
    assert isinstance(design.candidate.strategy, Private)


def test_a_promise_overrides_a_preference(make_card):
    words = "Attackers are suspected. Differential privacy is required. Uploads are expensive."
    assert first_design(words, make_card()).candidate.strategy.name == "private"


def test_clients_that_want_their_own_model_get_personal_heads(make_card):
    design = first_design("Each client wants its own model.", make_card())
    assert design.candidate.personal_head


@pytest.mark.parametrize(
    ("words", "strategy"),
    [
        ("Differential privacy with epsilon 4 is required.", "private"),
        ("We suspect that two of the ten want to spoil the model on purpose.", "trimmed-mean"),
    ],
)
def test_skew_in_the_card_overrides_no_promise(make_card, words, strategy):
    assert first_design(words, make_card(skew=0.6)).candidate.strategy.name == strategy


def test_skew_in_the_card_changes_the_design_without_words(make_card):
    card = make_card(skew=0.6)
    design = first_design("recognise digits", card)
    assert design.candidate != plain_candidate(card)
    assert design.choices[0].words == ""


def test_noise_spends_nearly_all_of_the_budget():
    noise = noise_for(5, 3.0, 1e-5)
    assert epsilon_spent(noise_multiplier=noise, rounds=5, delta=1e-5) <= 3
    assert epsilon_spent(noise_multiplier=noise - 0.02, rounds=5, delta=1e-5) > 3
