"""A quantity that no reader used is named, and asked about where a promise may hang on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edgewright.agents.fl_coder.constraints.owners import read_owners
from edgewright.agents.fl_coder.constraints.promises import STRICT_EPSILON, read_promises
from edgewright.agents.fl_coder.embedded.design import plain_candidate
from edgewright.agents.fl_coder.promised import with_statements
from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.benchmarks.federated.worded import load_problems

HERE = Path(__file__).parent


def unread(words: str, clients: int = 10) -> list[tuple[str, str | None]]:
    return [(each.words, each.topic) for each in read_promises(words, clients).unread]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Use 3 hidden layers for our ten clinics.", [("3 hidden", None)]),
        ("Batch size 64, please.", [("64", None)]),
        (
            "Read digits. It has 3 layers. The seed is 7.",
            [("3 layers", None), ("7", None)],
        ),
        ("The radio manages 9600 baud.", [("9600 baud", None)]),
        ("It is 50 MB per month.", [("50 MB", None)]),
        ("Draw the most from at most 300 mAh.", [("300 mAh", "limit")]),
        ("Train in a few minutes at most.", [("few minutes", "limit")]),
        ("No more than 12 of those things.", [("12", "limit")]),
        ("Byzantine resilience of grade 3.", [("3", "attackers")]),
        ("Privacy loss below ln 3 for each image.", [("3", "privacy")]),
        (
            "Ten rounds minimum, twenty maximum.",
            [("Ten rounds", "limit")],
        ),
    ],
)
def test_what_no_reader_used_is_found(words, found):
    assert unread(words) == found


@pytest.mark.parametrize(
    "words",
    [
        "Ten clinics each have photos of handwritten digits; I need a classifier.",
        "Thirteen retailers want a classifier, although one holds nine tenths of all pictures.",
        "Seven kinds of mole at six clinics, 9,000 scans since 2019, 28 x 28 pixels.",
        "Two palaeographers checked 500 samples of our four archives.",
        "The second of the three sites is client 2, in Room 12.",
        "Fine-tune ResNet-18 as for CIFAR10, the COVID-19 way, on 1st editions.",
        "They mix up 1 and 7 in the digits of five banks.",
        "Four times as many pictures are at one of the two shops.",
        "The main site has 20,000 photos and the smallest has 60.",
        "At least 80 % of the images are labelled correctly.",
        "A third of the labels are wrong.",
        "Ten years old tablets, and each recording lasts ten minutes.",
        "Robustness to 3 attackers is out of scope.",
        "99 % recall on melanoma.",
        "At most 5 rounds, in ten minutes, with 3 of the ten hostile, and epsilon 3 per image.",
        "Let it run for 50 to 80 rounds, 80 being the absolute ceiling.",
        "Up to 3 of our\n10 clients may be malicious,\nand training must end after 8\nrounds.",
    ],
)  # fmt: skip
def test_what_describes_data_or_was_read_is_not(words):
    assert unread(words) == []


@pytest.mark.parametrize("problem", load_problems(), ids=lambda problem: problem.name)
def test_the_benchmark_problems_leave_nothing_unread(problem):
    assert unread(problem.words, problem.data.clients) == []


@pytest.mark.parametrize(
    "name", ["worded", "worded_as_told", "worded_by_others", "worded_indirectly"]
)
def test_few_problems_of_others_raise_a_question(name):
    problems = [each["text"] for each in yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))]
    owners = [read_owners(words) for words in problems]
    asked = [
        words
        for words, each in zip(problems, owners, strict=True)
        if any(topic for _, topic in unread(words, each.count if each else 10))
    ]
    assert len(asked) <= 0.08 * len(problems), asked


def test_an_unclear_budget_is_the_strict_one_and_asked():
    promises = read_promises("DP is needed. Privacy loss below ln 3 for each image.", 10)
    assert promises.privacy is not None and promises.privacy.epsilon == STRICT_EPSILON
    assert "“3” in “Privacy loss below ln 3" in " ".join(promises.questions)


def test_an_unclear_number_of_hostile_clients_is_the_most_that_can_be_and_asked():
    promises = read_promises("Byzantine resilience of grade 3.", 14)
    assert promises.attackers is not None and promises.attackers.count == 6
    assert "What does it say about hostile clients?" in " ".join(promises.questions)
    assert read_promises("None of the 3 big clinics is malicious.", 14).attackers is None


def test_what_was_withdrawn_is_not_asked_about():
    words = "Byzantine resilience of grade 3."
    assert read_promises(words, 10, without=frozenset({"attackers"})).questions == ()


def test_a_proposal_names_what_was_not_used(make_card):
    card = make_card(10)
    proposal = Proposal(candidate=plain_candidate(card), coder="chat-model")
    promises = read_promises("Digits. Batch size 64. At most 300 mAh.", 10)
    shown = with_statements(proposal, promises, card)
    assert [(each.words, each.choice) for each in shown.choices] == [("64", "not used")]
    assert "What does it limit?" in " ".join(shown.questions)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("Thirteen retailers want a classifier.", 13),
        ("Smart mirrors, 30 of them, take pictures.", 30),
        ("Every one of our 13 vineyards wants its own model.", 13),
        ("Ten minutes are enough for six garment warehouses.", 6),
        ("Two experts named 40,000 screws.", None),
        ("Seven kinds of mole.", None),
    ],
)
def test_anything_that_may_own_data_is_counted(words, count):
    owners = read_owners(words)
    assert (owners and owners.count) == count


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("20 clients, MNIST iid, one global model, target 97%.", "accuracy", 0.97),
        ("Photos, 8 clients, an accuracy above 85 percent by Christmas.", "accuracy", 0.85),
        ("It must be right at least 98 times in 100.", "accuracy", 0.98),
        ("The pen has a quarter of a megabyte to work with.", "memory", 250_000),
        ("Training may last two weeks.", "seconds", 1_209_600),
    ],
)  # fmt: skip
def test_limits_that_the_net_found_are_read(words, name, value):
    assert read_promises(words, 20).limits[name].value == value


@pytest.mark.parametrize(
    ("words", "clients", "read"),
    [
        ("A lone saboteur is possible.", 10, {"attackers": 1}),
        ("We fear that 1 client in 5 is malicious.", 25, {"attackers": 5}),
        ("One site out of four may be hacked.", 12, {"attackers": 3}),
        ("Every scan must enjoy DP at ε≈1.5.", 10, {"epsilon": 1.5}),
        ("Privacy parameter three, record by record.", 10, {"epsilon": 3}),
        ("DP, an epsilon of 2½ for each image.", 10, {"epsilon": 2.5}),
        ("¼ of the clients are malicious.", 12, {"attackers": 3}),
        ("Wrap it up inside of 20 minutes.", 10, {"seconds": 1200}),
        ("The accuracy target is 0.9.", 10, {"accuracy": 0.9}),
        ("Quit once it hits ninety-two percent.", 10, {"accuracy": 0.92}),
        ("Stop after 40 min or 25 rounds.", 10, {"seconds": 2400, "rounds": 25}),
        ("50 kB per round at most; 1 MB overall.", 10, {"bytes": 5e4, "total_bytes": 1e6}),
        ("The firmware leaves 128 KiB for the network.", 10, {"memory": 131_072}),
        ("A quarter of the clients per round suffices.", 10, {"participation": 0.3}),
        ("As many as one third of our nodes are dodgy.", 10, {"attackers": 4}),
        ("No more than 50k parameters.", 10, {"memory": 200_000}),
        ("The run has to be over by the end of a 45-minute lesson.", 10, {"seconds": 2700}),
    ],
)
def test_more_kinds_of_words_for_numbers_are_read(words, clients, read):
    promises = read_promises(words, clients)
    found = {name: each.value for name, each in promises.limits.items()}
    found |= {"attackers": promises.attackers.count} if promises.attackers else {}
    found |= {"epsilon": promises.privacy.epsilon} if promises.privacy else {}
    found |= {"participation": promises.participation.share} if promises.participation else {}
    assert found == read
    assert promises.unread == ()


@pytest.mark.parametrize(
    ("words", "unit"),
    [("Every scan must enjoy DP.", "sample"), ("DP, record by record.", "sample")],
)
def test_more_kinds_of_words_for_units_are_read(words, unit):
    privacy = read_promises(words, 20).privacy
    assert privacy is not None and privacy.unit == unit


def test_one_of_many_is_no_number_of_owners():
    assert read_owners("One clinic is larger than the others.") is None


def test_other_names_of_participation_and_delta_are_read():
    participation = read_promises("1,000 clients, 50 sampled per round.", 1000).participation
    assert participation is not None and participation.clients == 50
    words = "A privacy loss of eight, with a failure probability of one in a million."
    privacy = read_promises(words, 10).privacy
    assert privacy is not None and privacy.delta == pytest.approx(1e-6)
