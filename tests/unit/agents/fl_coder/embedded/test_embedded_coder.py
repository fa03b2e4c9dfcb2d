from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.embedded.adjustments import adjustments, repairs
from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.design import plain_candidate
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.agents.fl_coder.protocol import Proposal, TrainingProblem, same
from edgewright.tools.federated.records.candidate import Candidate, Private
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits

PURPOSE = "ten clinics have photos of digits; I need a classifier"
FLAT = [0.5, 0.8, 0.9, 0.93, 0.94, 0.945, 0.945, 0.945]


@pytest.fixture
def problem(make_card):
    return TrainingProblem(purpose=PURPOSE, card=make_card())


def test_the_first_proposal_follows_the_words(problem):
    proposal = EmbeddedCoder().propose(problem, [])
    assert same(proposal.candidate, plain_candidate(problem.card))
    assert proposal.coder == "embedded"
    assert proposal.candidate.rationale


def test_proposals_are_new_until_no_adjustment_is_left(problem, make_attempt):
    coder = EmbeddedCoder()
    attempts, seen = [], []
    for number in range(1, 40):
        proposal = coder.propose(problem, attempts)
        if any(same(proposal.candidate, old) for old in seen):
            break
        seen.append(proposal.candidate)
        attempt = make_attempt(proposal.candidate, FLAT, number=number)
        attempts.append(attempt.model_copy(update={"proposal": proposal}))
    else:
        pytest.fail("it never ran out of ideas")
    assert len(seen) > 4
    assert all("underfitting" in each.rationale for each in seen[1:])


def test_it_builds_on_the_best_attempt(problem, make_attempt):
    coder = EmbeddedCoder()
    first = coder.propose(problem, []).candidate
    worse = first.model_copy(update={"rounds": 3})
    attempts = [make_attempt(first, FLAT), make_attempt(worse, [0.2, 0.3, 0.3], number=2)]
    assert coder.propose(problem, attempts).candidate.rounds > first.rounds


def test_underfitting_is_answered_by_more_rounds_before_more_width(problem, make_attempt):
    coder = EmbeddedCoder()
    start = coder.propose(problem, []).candidate
    proposed = coder.propose(problem, [make_attempt(start, FLAT)]).candidate
    assert proposed.rounds == 4 * start.rounds
    assert proposed.model == start.model
    # The first attempt took eight seconds.
    hurried = problem.model_copy(update={"limits": SandboxLimits(time_s=17.0)})
    assert coder.propose(hurried, [make_attempt(start, FLAT)]).candidate.rounds == 2 * start.rounds


def test_of_equal_attempts_the_one_with_the_lower_loss_is_improved(
    problem, make_attempt, make_curve
):
    coder = EmbeddedCoder()
    first = coder.propose(problem, []).candidate
    unsure = make_attempt(first, FLAT)
    other = make_attempt(first.model_copy(update={"rounds": 3}), FLAT, number=2)
    sure = other.model_copy(
        update={"result": other.result.model_copy(update={"curve": make_curve(FLAT, loss=0.2)})}
    )
    assert coder.propose(problem, [unsure, other]).candidate.rounds == 4 * first.rounds
    assert coder.propose(problem, [unsure, sure]).candidate.rounds == 4 * 3


def test_a_training_that_cannot_finish_in_time_is_not_proposed(problem, make_attempt):
    coder = EmbeddedCoder()
    first = make_attempt(coder.propose(problem, []).candidate, FLAT)  # takes eight seconds
    start = first.proposal.candidate
    for seconds in (20.0, 10.0, 5.0):
        hurried = problem.model_copy(update={"limits": SandboxLimits(time_s=seconds)})
        proposed = coder.propose(hurried, [first]).candidate
        assert same(proposed, start) or effort(proposed) / effort(start) * 8 <= seconds
    assert same(proposed, start)
    assert effort(coder.propose(problem, [first]).candidate) > 3 * effort(start)


@pytest.mark.parametrize(
    ("side", "words", "model"),
    [
        (96, PURPOSE, "pretrained"),
        (28, PURPOSE, "convolutions"),
        (96, "The devices are slow and weak.", "light"),
    ],
)
def test_photographs_are_tried_with_pretrained_features(
    make_card, make_attempt, side, words, model
):
    problem = TrainingProblem(purpose=words, card=make_card(side=side))
    coder = EmbeddedCoder()
    first = make_attempt(coder.propose(problem, []).candidate, FLAT)
    assert read(coder.propose(problem, [first]).candidate, "model")[0] == model


def test_a_remark_changes_the_design(problem, make_attempt):
    coder = EmbeddedCoder()
    first = make_attempt(coder.propose(problem, []).candidate, FLAT)
    remarked = problem.model_copy(update={"remarks": ("The uploads are billed by the megabyte.",)})
    proposal = coder.propose(remarked, [first])
    assert proposal.candidate.compression.name == "int8"
    assert "megabyte" in proposal.choices[0].words


@pytest.mark.parametrize(
    ("values", "strategy"),
    [
        ({}, "scaffold"),
        ({"participation": 0.5}, "scaffold"),
        ({"compression": {"name": "int8"}}, "feddyn"),
        ({"strategy": {"name": "fedavgm"}}, "scaffold"),
        ({"participation": 0.1}, "fedavg"),  # corrections would be out of date
        ({"personal_head": True}, "fedavg"),
        ({"compression": {"name": "top-k"}}, "fedavg"),
        ({"strategy": {"name": "median"}}, "median"),
        ({"strategy": {"name": "private"}}, "private"),
    ],
)
def test_drift_is_corrected_where_that_works(make_card, values, strategy):
    card = make_card(skew=0.6)
    changed = [
        c for _, c in adjustments(change(plain_candidate(card), **values), "client drift", card)
    ]
    assert changed[0].strategy.name == strategy
    assert all(candidate.conflict == "" for candidate in changed)


def test_a_skewed_curve_leads_to_scaffold_unless_it_is_not_wanted(
    make_card, make_attempt, make_curve
):
    card = make_card(skew=0.6)
    coder = EmbeddedCoder()
    problem = TrainingProblem(purpose=PURPOSE, card=card)
    first = make_attempt(coder.propose(problem, []).candidate, FLAT)
    drifting = make_curve(FLAT, [0.99] * len(FLAT), spread=0.2)
    attempt = first.model_copy(
        update={"result": first.result.model_copy(update={"curve": drifting})}
    )
    proposal = coder.propose(problem, [attempt])
    assert proposal.candidate.strategy.name == "scaffold"
    assert "client drift" in proposal.candidate.rationale
    avoided = problem.model_copy(update={"remarks": ("no SCAFFOLD",)})
    assert coder.propose(avoided, [attempt]).candidate.strategy.name != "scaffold"


def test_a_candidate_edited_by_a_person_is_improved(problem, make_attempt):
    edited = plain_candidate(problem.card).model_copy(update={"rounds": 7})
    proposal = EmbeddedCoder().propose(problem, [make_attempt(edited, FLAT, coder="person")])
    assert proposal.candidate.rounds == 4 * 7


def fault(code: str, slot: str = "") -> Fault:
    return Fault(code=code, message="it broke", slot=slot)  # type: ignore[arg-type]


def change(candidate: Candidate, **values: object) -> Candidate:
    return Candidate.model_validate(candidate.model_dump() | values)


@pytest.mark.parametrize(
    ("values", "code", "check"),
    [
        ({}, "not_finite", lambda c: read(c, "schedule")[1]["peak"] < 0.002),
        ({}, "not_learning", lambda c: read(c, "schedule")[1]["peak"] > 0.005),
        ({}, "too_large", lambda c: read(c, "model")[1]["width"] == 16),
        ({}, "timeout", lambda c: c.rounds == 10),
        ({"personal_head": True, "rounds": 13}, "no_head", lambda c: not c.personal_head),
        ({"strategy": {"name": "krum", "attackers": 4}}, "quorum",
         lambda c: c.strategy.name == "median"),
        ({"participation": 0.1, "strategy": {"name": "median"}}, "no_quorum",
         lambda c: c.participation == 1),
        ({"strategy": {"name": "scaffold"}, "compression": {"name": "top-k"}}, "conflict",
         lambda c: (c.strategy.name, c.conflict) == ("fedavg", "")),
        ({"model": "x = 1"}, "raised", lambda c: read(c, "model")[0] == "convolutions"),
    ],
)  # fmt: skip
def test_a_fault_is_repaired(problem, make_attempt, values, code, check):
    broken = change(plain_candidate(problem.card), **values)
    attempts = [
        make_attempt(plain_candidate(problem.card), FLAT),
        make_attempt(broken, faults=(fault(code),)),
    ]
    proposal = EmbeddedCoder().propose(problem, attempts)
    assert check(proposal.candidate)
    assert "it broke" in proposal.candidate.rationale


def test_only_the_slot_at_fault_is_replaced(problem):
    broken = change(plain_candidate(problem.card), schedule="def learning_rate(r, n): return 'x'\n")
    changes = [changed for _, changed in repairs(broken, fault("shape", "schedule"), problem.card)]
    assert changes[-1].model == broken.model
    assert read(changes[-1], "schedule")[0] == "cosine"


def test_a_budget_too_small_for_its_rounds_gets_one_round(problem):
    private = Private(noise_multiplier=0.1, epsilon=1.0)
    broken = change(plain_candidate(problem.card), strategy=private.model_dump())
    _, repaired = next(repairs(broken, fault("privacy_budget"), problem.card))
    assert repaired.rounds == 1
    assert repaired.strategy.noise_multiplier > 1


def test_after_a_chat_coder_the_embedded_coder_starts_its_own_design(problem, make_attempt):
    broken = change(plain_candidate(problem.card), model="x = 1")
    attempts = [make_attempt(broken, faults=(fault("syntax", "model"),), coder="chat-model")]
    assert same(EmbeddedCoder().propose(problem, attempts).candidate, plain_candidate(problem.card))


def test_a_run_without_any_working_candidate_ends(problem, make_attempt):
    coder, attempts = EmbeddedCoder(), []
    for _ in range(12):
        proposal: Proposal = coder.propose(problem, attempts)
        if any(same(proposal.candidate, a.proposal.candidate) for a in attempts):
            return
        attempts.append(make_attempt(proposal.candidate, faults=(fault("raised"),)))
    pytest.fail("it never gave up")
