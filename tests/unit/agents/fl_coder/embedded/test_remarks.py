"""A person's remarks change the proposal, or are answered with why not."""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.agents.fl_coder.embedded.remarks import read_remarks
from edgewright.agents.fl_coder.protocol import TrainingProblem, same
from edgewright.tools.federated.app.privacy import epsilon_spent

PLAIN = "ten clinics have photos of digits; I need a classifier"
ATTACKED = "ten clinics have photos of digits. Two of the ten clients may be malicious."
WEAK = "ten clinics have photos of digits. Train on old phones with a weak processor."
PRIVATE = "ten clinics have photos of digits. Differential privacy with epsilon 4 is required."
METERED = "ten clinics have photos of digits. The links are metered and slow."
PER_IMAGE = "ten clinics have photos of digits. Differential privacy per image, epsilon 4."
FLAT = [0.5, 0.8, 0.9, 0.93, 0.94, 0.945, 0.945, 0.945]


@pytest.fixture
def propose(make_card):
    def make(purpose, *remarks, attempts=()):
        problem = TrainingProblem(purpose=purpose, card=make_card(10), remarks=remarks)
        return EmbeddedCoder().propose(problem, list(attempts))

    return make


@pytest.mark.parametrize(
    ("purpose", "remark", "follows"),
    [
        (PLAIN, "only 4 rounds", lambda c: c.rounds == 4),
        (PLAIN, "Make it seven rounds, please.", lambda c: c.rounds == 7),
        (PLAIN, "1 local epoch", lambda c: c.local_epochs == 1),
        (PLAIN, "batches of 8", lambda c: c.batch_size == 8),
        (PLAIN, "use FedProx", lambda c: c.proximal == 0.1),
        (PLAIN, "use FedProx with mu 0.3 and only 5 rounds",
         lambda c: (c.proximal, c.rounds) == (0.3, 5)),
        (PLAIN, "I would like FedAdam", lambda c: c.strategy.name == "fedadam"),
        (PLAIN, "use FedYogi", lambda c: c.strategy.name == "fedyogi"),
        (PLAIN, "try fed-dyn", lambda c: c.strategy.name == "feddyn"),
        (PLAIN, "please use scaffold", lambda c: c.strategy.name == "scaffold"),
        (PLAIN, "SCAFFOLD with 3 local epochs would be better", lambda c: c.local_epochs == 3),
        (PLAIN, "control variates against the drift", lambda c: c.strategy.name == "scaffold"),
        (METERED, "use FedDyn",
         lambda c: (c.strategy.name, c.compression.name) == ("feddyn", "int8")),
        (PLAIN, "take the median", lambda c: c.strategy.name == "median"),
        (PLAIN, "no label smoothing", lambda c: c.label_smoothing == 0),
        (PLAIN, "without augmentation", lambda c: read(c, "augmentation")[0] == "none"),
        (PLAIN, "personal heads, please", lambda c: c.personal_head),
        (PLAIN, "compress the updates", lambda c: c.compression.name == "int8"),
        (METERED, "no compression", lambda c: c.compression.name == "none"),
        (ATTACKED, "no trimmed mean", lambda c: c.strategy.name == "median"),
        (ATTACKED, "no trimmed mean and no median", lambda c: c.strategy.name == "multi-krum"),
        (ATTACKED, "use FedProx", lambda c: (c.strategy.name, c.proximal) == ("trimmed-mean", 0.1)),
        (ATTACKED, "use multi-krum",
         lambda c: (c.strategy.name, c.strategy.attackers) == ("multi-krum", 2)),
        (ATTACKED, "forget the attackers", lambda c: c.strategy.name == "fedavg"),
        (WEAK, "forget the slow phones", lambda c: read(c, "model")[0] == "convolutions"),
        (WEAK, "never mind the weak devices", lambda c: read(c, "model")[0] == "convolutions"),
        (PRIVATE, "drop the privacy", lambda c: c.strategy.name == "fedavg"),
        (PLAIN, "The uploads are billed by the megabyte.", lambda c: c.compression.name == "int8"),
    ],
)  # fmt: skip
def test_a_remark_is_followed(propose, purpose, remark, follows):
    proposal = propose(purpose, remark)
    assert follows(proposal.candidate), proposal
    assert proposal.note == ""
    assert any(choice.words for choice in proposal.choices)


@pytest.mark.parametrize(
    ("purpose", "remark", "why"),
    [
        (PLAIN, "use SPLITFED", "names no number of rounds"),
        (PLAIN, "make it nicer", "names no number of rounds"),
        (PLAIN, "99 % recall on sevens", "neither aims nor stops at it"),
        (PLAIN, "9000 rounds", "between 1 and 500"),
        (PLAIN, "0 epochs", "between 1 and 50"),
        (ATTACKED, "use plain FedAvg", "tolerates no attackers"),
        (ATTACKED, "use FedAdam", "forget the attackers"),
        ("Some of the ten clients may be malicious.", "use krum", "needs 11 clients"),
        (PRIVATE, "use the median", "break the privacy"),
        (PRIVATE, "use FedProx", "forget the privacy"),
        (ATTACKED, "use SCAFFOLD", "tolerates no attackers"),
        (PRIVATE, "use FedDyn", "break the privacy"),
        (PER_IMAGE, "use SCAFFOLD", "would reveal what a client's noise hides"),
        ("Each of the ten clinics wants its own model.", "use SCAFFOLD", "with personal heads"),
    ],
)
def test_a_remark_that_is_not_followed_is_answered(propose, purpose, remark, why):
    proposal = propose(purpose, remark)
    assert why in proposal.note
    assert same(proposal.candidate, propose(purpose).candidate)


@pytest.mark.parametrize(
    ("purpose", "remarks", "stands"),
    [
        (PRIVATE, ["forget the privacy"], lambda p: p.privacy is None and not p.questions),
        (ATTACKED, ["forget the attackers"], lambda p: p.attackers is None and not p.questions),
        (ATTACKED, ["forget the attackers", "Three of the ten may be malicious."],
         lambda p: p.attackers.count == 3),
        (f"{PLAIN}, in at most 5 rounds", ["8 rounds"], lambda p: p.limits["rounds"].value == 8),
        (f"{PLAIN}, in at most 5 rounds", ["only 4 rounds"],
         lambda p: p.limits["rounds"].value == 4),
        (f"{PLAIN}. 20 kilobytes a round.", ["at most 50 kilobytes a round"],
         lambda p: p.limits["bytes"].value == 50_000),
        (f"{PLAIN}. 20 kilobytes a round.", ["forget the thin links"], lambda p: not p.limits),
        (PLAIN, ["Differential privacy per image, (3, 1e-5)."],
         lambda p: (p.privacy.unit, p.privacy.epsilon) == ("sample", 3)),
        (PLAIN, ["stop at 90 %"], lambda p: p.limits["accuracy"].value == 0.9),
        (f"{PLAIN}. FedProx with mu 0.1.", ["no FedProx"], lambda p: p.proximal == 0),
        (f"{PLAIN}. FedProx with mu 0.1.", ["use FedProx with mu 0.3"],
         lambda p: p.proximal == 0.3),
        ("Some of the ten clients may be malicious.", ["use multi-krum", "Three are hostile."],
         lambda p: p.attackers.count == 3 and not p.questions),
    ],
)  # fmt: skip
def test_the_promises_that_stand_are_held(make_card, make_attempt, purpose, remarks, stands):
    problem = TrainingProblem(purpose=purpose, card=make_card(10), remarks=tuple(remarks))
    promises = read_remarks(problem).promises
    assert stands(promises)
    first = EmbeddedCoder().propose(problem, [])
    assert broken(first.candidate, promises, 10, None) == ()
    attempt = make_attempt(first.candidate, FLAT).model_copy(update={"proposal": first})
    second = EmbeddedCoder().propose(problem, [attempt])
    assert broken(second.candidate, promises, 10, None) == ()


@pytest.mark.parametrize(
    ("purpose", "remarks"),
    [(PLAIN, ("use krum",)), (f"{PLAIN}. Use Krum.", ()), (f"{PLAIN}; aggregate by Krum", ())],
)
def test_a_robust_strategy_without_a_number_tolerates_most_and_asks(make_card, purpose, remarks):
    problem = TrainingProblem(purpose=purpose, card=make_card(10), remarks=remarks)
    strategy = EmbeddedCoder().propose(problem, []).candidate.strategy
    assert (strategy.name, strategy.attackers) == ("krum", 3)
    assert "hostile at once" in read_remarks(problem).promises.questions[0]
    known = problem.model_copy(update={"remarks": (*remarks, "Two of the ten are malicious.")})
    assert EmbeddedCoder().propose(known, []).candidate.strategy.attackers == 2
    assert read_remarks(known).promises.questions == ()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Use SCAFFOLD.", "scaffold"),
        ("Train it with FedDyn, please.", "feddyn"),
        ("Aggregate with FedYogi.", "fedyogi"),
        ("Do not use SCAFFOLD.", "fedavg"),
        ("The photos show the use of a scaffold, with people on it.", "fedavg"),
        ("Use photos of scaffold parts.", "fedavg"),
    ],
)
def test_a_strategy_that_the_purpose_orders_is_used(propose, words, name):
    assert propose(f"{PLAIN}. {words}").candidate.strategy.name == name


@pytest.mark.parametrize("part", ["top-k updates", "personal heads"])
def test_a_part_that_the_strategy_does_not_work_with_is_refused(propose, part):
    proposal = propose(PLAIN, "use SCAFFOLD", part)
    assert proposal.candidate.strategy.name == "scaffold"
    assert proposal.candidate.conflict == ""
    assert "scaffold does not work with" in proposal.note


def test_a_strategy_that_the_purpose_only_mentions_is_not_used(propose):
    assert propose(f"{PLAIN}. The median clinic has 200.").candidate.strategy.name != "median"


def test_noise_of_the_clients_leaves_the_strategy_to_the_person(propose):
    words = f"{PLAIN}. Differential privacy per image with epsilon 4."
    candidate = propose(words, "use the median and only 4 rounds").candidate
    spent = epsilon_spent(
        noise_multiplier=candidate.local_privacy.noise_multiplier,
        rounds=4 * candidate.local_privacy.local_steps, delta=candidate.local_privacy.delta,
    )  # fmt: skip
    assert (candidate.strategy.name, candidate.rounds) == ("median", 4)
    assert 3.5 < spent <= 4


def test_fewer_rounds_of_a_private_design_keep_its_budget(propose):
    candidate = propose(PRIVATE, "only 4 rounds").candidate
    spent = epsilon_spent(
        noise_multiplier=candidate.strategy.noise_multiplier, rounds=4,
        delta=candidate.strategy.delta,
    )  # fmt: skip
    assert candidate.rounds == 4
    assert 3.5 < spent <= 4


def test_a_later_remark_counts_more(propose):
    candidate = propose(PLAIN, "only 4 rounds", "better 6 rounds").candidate
    assert candidate.rounds == 6


def test_what_is_followed_holds_for_later_trials(propose, make_attempt):
    first = propose(PLAIN, "only 4 rounds")
    attempt = make_attempt(first.candidate, FLAT).model_copy(update={"proposal": first})
    second = propose(PLAIN, "only 4 rounds", attempts=[attempt])
    assert not same(second.candidate, first.candidate)
    assert second.candidate.rounds == 4


def test_a_strategy_that_needs_more_clients_is_refused(make_card):
    problem = TrainingProblem(purpose=PLAIN, card=make_card(3), remarks=("use krum",))
    proposal = EmbeddedCoder().propose(problem, [])
    assert "needs 5 clients" in proposal.note
    assert proposal.candidate.strategy.name == "fedavg"
