"""How many clients take part in a round, read from words and held by designs."""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.embedded.adjustments import repairs
from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.agents.fl_coder.embedded.remarks import read_remarks
from edgewright.agents.fl_coder.promised import with_statements
from edgewright.agents.fl_coder.protocol import Proposal, TrainingProblem
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.sandbox.faults import Fault

TENTH = "Only a tenth of the clients take part."


@pytest.mark.parametrize(
    ("words", "clients", "count"),
    [
        (TENTH, 20, 2),
        ("Sample 20 % of the participants per round.", 20, 4),
        ("In any round merely three of the twenty sites can be reached.", 20, 3),
        ("Half of the devices are offline at any given time.", 20, 10),
        ("Two thirds of the phones are unreachable at any moment.", 12, 4),
        ("Every round calls upon a random third of the phones.", 30, 10),
        ("At most 5 of them train at once.", 20, 5),
        ("Between 2 and 4 clients train in each round.", 20, 2),
        ("In each round pick four of our forty schools.", 40, 4),
        ("29 of the 100 clients take part in each round.", 100, 29),
    ],
)
def test_the_clients_of_a_round_are_read(words, clients, count):
    stated = read_promises(f"Read digits. {words}", clients).participation
    assert stated is not None
    assert stated.clients == count
    assert stated.words in words
    assert Candidate.model_validate(
        CANDIDATE | {"participation": stated.share}
    ).clients_per_round(clients) == count  # fmt: skip


CANDIDATE = {
    "model": "m", "augmentation": "a", "optimiser": "o", "schedule": "s", "rounds": 4,
    "local_epochs": 1, "batch_size": 16, "strategy": {"name": "fedavg"},
}  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "Ten clinics take part.",
        "All 12 hospitals train in each round.",
        "Every client takes part in every round.",
        "At least half of the clients must take part in every round.",
        "About 30 percent of the clients drop out during a round.",
        "A fifth of the clients attack in each round.",
        "Each phone may send 10 % of 2 MB per round.",
        "A third of the labels are wrong in each round.",
    ],
)
def test_other_shares_are_not_participation(words):
    assert read_promises(f"Read digits. {words}", 12).participation is None


def test_a_design_has_no_more_clients_in_a_round_than_said(make_card):
    card, promises = make_card(20), read_promises(TENTH, 20)
    assert [each.slot for each in broken(plain_candidate(card), promises, 20, None)] == [
        "participation"
    ]
    candidate = first_design(f"Read digits. {TENTH}", card).candidate
    assert candidate.clients_per_round(20) == 2
    assert broken(candidate, promises, 20, None) == ()


def test_privacy_of_samples_keeps_the_participation(make_card):
    words = f"Digits. {TENTH} Differential privacy per image, epsilon 3."
    candidate = first_design(words, make_card(20, samples=600, side=28)).candidate
    assert candidate.local_privacy is not None
    assert candidate.clients_per_round(20) == 2


def test_no_repair_takes_more_clients_than_said(make_card):
    card = make_card(20)
    orders = read_remarks(TrainingProblem(purpose=f"Read digits. {TENTH}", card=card))
    candidate = first_design(f"Read digits. {TENTH} One of them is malicious.", card).candidate
    fault = Fault(code="quorum", slot="strategy", message="too few")
    repaired = [orders.applied(change) for _, change in repairs(candidate, fault, card)]
    assert {each.clients_per_round(20) for each in repaired} == {2}


def test_a_remark_states_the_participation_and_the_proposal_shows_it(make_card):
    card = make_card(20)
    problem = TrainingProblem(purpose="Read digits.", card=card, remarks=(TENTH,))
    orders = read_remarks(problem)
    assert orders.answer == ""
    candidate = orders.applied(plain_candidate(card))
    shown = with_statements(Proposal(candidate=candidate, coder="embedded"), orders.promises, card)
    assert ("2 clients (10%) in a round") in [each.choice for each in shown.choices]


def test_hostile_clients_that_may_fill_a_round_are_asked_about():
    asked = read_promises(f"Two of the clients are malicious. {TENTH}", 20).questions
    assert any("May more clients take part" in each for each in asked)
    assert (
        read_promises("One client is malicious. 5 clients train in each round.", 20).questions == ()
    )
