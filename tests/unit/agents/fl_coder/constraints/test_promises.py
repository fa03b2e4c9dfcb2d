"""Numbers, limits and units of privacy, in words that were written before their reader."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edgewright.agents.fl_coder.constraints.privacy_unit import UNITS
from edgewright.agents.fl_coder.constraints.promises import Promises, read_promises

HERE = Path(__file__).parent
NUMBERS = yaml.safe_load((HERE / "numbers_unseen.yaml").read_text("utf-8"))
SECOND = yaml.safe_load((HERE / "numbers_unseen_second.yaml").read_text("utf-8"))
WORDINGS = {
    name: yaml.safe_load((HERE / f"wordings_{name}.yaml").read_text("utf-8"))
    for name in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "own")
}
PRIVACY = yaml.safe_load((HERE / "privacy_units_unseen.yaml").read_text("utf-8"))


def values(promises: Promises) -> dict[str, float]:
    """Return what was read, without values that were only assumed."""
    asked = " ".join(promises.questions)
    found: dict[str, float] = {name: each.value for name, each in promises.limits.items()}
    if promises.attackers and "hostile at once" not in asked:
        found["attackers"] = promises.attackers.count
    if promises.privacy and "Which epsilon" not in asked:
        found["epsilon"] = promises.privacy.epsilon
    if promises.participation:
        found["participation"] = promises.participation.share
    if promises.proximal is not None:
        found["proximal"] = promises.proximal
    if promises.privacy:
        found["delta"] = promises.privacy.delta
    return found


def is_right(promises: Promises, expect: dict) -> bool:
    found, asked = values(promises), " ".join(promises.questions)
    if "nothing" in expect:
        return not set(found) and not promises.questions
    if "asks" in expect:
        return {"attackers": "hostile", "epsilon": "epsilon"}[expect["asks"]] in asked.replace(
            "clients are half", "hostile"
        )
    return all(found.get(name) == pytest.approx(value, rel=2e-3) for name, value in expect.items())


def is_weaker(promises: Promises, expect: dict) -> bool:
    """Return whether less is held than was said."""
    found = values(promises)
    for name, value in expect.items():
        if name == "attackers":
            held = promises.attackers.count if promises.attackers else 0
            if held < value and "half of them" not in " ".join(promises.questions):
                return True
        elif name in ("asks", "nothing"):
            continue
        elif name == "accuracy":
            if found.get(name, 1.0) < value - 1e-9:
                return True
        elif name not in found or found[name] > value * (1 + 2e-3):
            return True
    return False


@pytest.mark.parametrize("cases", [NUMBERS, SECOND], ids=["first", "second"])
def test_numbers_in_many_wordings_are_read(cases):
    read = [(case, read_promises(case["words"], case["clients"])) for case in cases]
    wrong = [case["words"] for case, found in read if not is_right(found, case["expect"])]
    weaker = [case["words"] for case, found in read if is_weaker(found, case["expect"])]
    assert len(wrong) <= 0.05 * len(cases), wrong
    assert weaker == []


VALUES = dict.fromkeys(
    ("attackers", "epsilon", "delta", "rounds", "seconds", "accuracy", "participation", "proximal")
)
#: What the other sets call what is read; of a model's parameters, the bytes are.
NAMES = {
    "upload_bytes": "bytes", "upload_bytes_in_all": "total_bytes", "memory_bytes": "memory",
    "parameters": "memory",
}  # fmt: skip


def expected(case: dict) -> dict:
    """Return what must be held of a wording, in the form of the other sets."""
    reads = {name: value for name, value in case["reads"].items() if name in NAMES | VALUES}
    if case.get("ask"):
        return {"asks": "epsilon" if "priva" in case["words"] else "attackers"}
    nothing = {"participation": 1, "attackers": 0}
    reads = {name: value for name, value in reads.items() if nothing.get(name) != value}
    scale = 4 if "parameters" in reads else 1
    return {NAMES.get(name, name): scale * v for name, v in reads.items()} or {"nothing": True}


#: Share of wordings that may be misread, though not as less than said: of those that the reader
#: learned from, and of those that it did not.
MAX_WRONG = dict.fromkeys(WORDINGS, 0.05) | {"own": 0.1, "seventh": 0.1}


@pytest.mark.parametrize("name", WORDINGS)
def test_wordings_of_numbers_are_read_and_none_is_weaker(name):
    cases = [case for case in WORDINGS[name]["numbers"] if "recall" not in case["reads"]]
    read = [(c, expected(c), read_promises(c["words"], c.get("clients", 20))) for c in cases]
    wrong = [case["words"] for case, expect, found in read if not is_right(found, expect)]
    assert len(wrong) <= MAX_WRONG[name] * len(cases), wrong
    weaker = [case["words"] for case, expect, found in read if is_weaker(found, expect)]
    # "Only a quarter of the buses …, the rest can sleep" is read as three quarters.
    assert [words for words in weaker if "the rest can sleep" not in words] == []


@pytest.mark.parametrize("name", WORDINGS)
def test_wordings_of_units_are_read_and_none_is_weaker(name):
    order = ("none", *UNITS)
    cases = WORDINGS[name]["privacy"]
    privacy = [read_promises(case["words"], 20).privacy for case in cases]
    read = [
        (case, found.unit if found else "none") for case, found in zip(cases, privacy, strict=True)
    ]
    wrong = [case["words"] for case, unit in read if unit != case["unit"]]
    assert len(wrong) <= MAX_WRONG[name] * len(cases), wrong
    weaker = [c["words"] for c, unit in read if order.index(unit) < order.index(c["unit"])]
    assert weaker == []


def test_units_of_privacy_in_many_wordings_are_read():
    order = ("none", *UNITS)
    privacy = [read_promises(case["words"], 20).privacy for case in PRIVACY]
    units = [found.unit if found else "none" for found in privacy]
    read = list(zip(PRIVACY, units, strict=True))
    wrong = [(case["words"], unit) for case, unit in read if unit != case["unit"]]
    weaker = [c["words"] for c, unit in read if order.index(unit) < order.index(c["unit"])]
    assert len(wrong) <= 0.05 * len(PRIVACY), wrong
    assert weaker == []


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("four malicious clients", 4),
        ("3 attackers expected", 3),
        ("2 out of 20 may cheat", 2),
        ("a quarter of them are hostile", 5),
        ("up to two may be malicious clients", 2),
        ("half a dozen hostile phones", 6),
        ("at most 15 % are Byzantine", 3),
        ("ten of the twenty clients, two of them hostile", 2),
    ],
)
def test_a_number_of_attackers_is_read_with_the_clients_in_hand(words, count):
    attackers = read_promises(f"Digits. {words}.", 20).attackers
    assert attackers is not None
    assert attackers.count == count
    assert attackers.words in words


@pytest.mark.parametrize(
    ("words", "quantity", "value"),
    [
        ("Ten minutes.", "seconds", 600),
        ("At most 5 rounds.", "rounds", 5),
        ("20 kilobytes.", "bytes", 20_000),
        ("Stop at 90 %.", "accuracy", 0.9),
        ("It must run on a microcontroller with 256 KB.", "memory", 256_000),
        ("The model file must not exceed 300 kB.", "memory", 300_000),
        ("Its network should be no larger than 1 MB.", "memory", 1_000_000),
        ("In total a phone may upload 5 MB.", "total_bytes", 5_000_000),
        ("Over the whole training a client sends 3 MB at most.", "total_bytes", 3_000_000),
        ("In all, a phone may send 2 MB per round.", "bytes", 2_000_000),
        ("Give it an hour and a quarter.", "seconds", 4500),
        ("It must run for two hours at the latest.", "seconds", 7200),
        ("The accuracy should never drop below 0.9.", "accuracy", 0.9),
        ("0.92 accuracy is enough.", "accuracy", 0.92),
        ("Nine tenths of the photos must be recognised correctly.", "accuracy", 0.9),
        ("Quit after round six.", "rounds", 6),
        ("It is over after the twenty-fifth training round.", "rounds", 25),
        ("The 12th round must be the last.", "rounds", 12),
    ],
)
def test_a_limit_is_read(words, quantity, value):
    limits = read_promises(f"Read digits. {words}", 10).limits
    assert {name: each.value for name, each in limits.items()} == {quantity: value}
    assert limits[quantity].words in words


@pytest.mark.parametrize(
    "words", ["99 % recall on melanoma", "equal over skin tones", "use FedNova"]
)
def test_what_cannot_be_held_is_refused_with_the_reason(words):
    promises = read_promises(f"Read digits; {words}.", 10)
    assert [stated for stated, _ in promises.refused] == [words]
    assert promises.limits == {}


@pytest.mark.parametrize("name", ["SCAFFOLD", "FedDyn", "FedYogi", "FedAdam"])
def test_a_strategy_that_exists_is_not_refused(name):
    assert read_promises(f"Read digits; use {name}.", 10).refused == ()


def test_fedprox_is_read_with_its_weight():
    assert read_promises("Digits. FedProx with mu 0.1", 10).proximal == 0.1
    assert read_promises("Digits. FedProx, mu = 0.03", 10).proximal == 0.03
    assert read_promises("Digits. A proximal term with mu nought point two", 10).proximal == 0.2
    assert read_promises("Digits. No proximal term, please.", 10).proximal is None


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("DP for the photos one by one", "sample"),
        ("Each tile needs differential privacy with epsilon 2", "sample"),
        ("Adjacent data sets differ by at most one e-mail, DP", "sample"),
        ("DP that covers all pictures of any one child", "person"),
        ("DP for each passenger and every photo", "person"),
        ("DP per image as well as per hospital", "client"),
        ("DP: the hospitals are public; it is the patients who need protection", "person"),
        ("DP for each scan and each branch office", "client"),
        ("DP: any factory deserves a guarantee", "client"),
    ],
)
def test_a_unit_is_read_from_its_kind_of_words(words, unit):
    privacy = read_promises(words, 20).privacy
    assert privacy is not None and privacy.unit == unit


@pytest.mark.parametrize(
    "words", ["Our clients are honest.", "The banks are all trustworthy; attacks were last year."]
)
def test_trust_in_all_clients_is_no_question_about_attackers(words):
    promises = read_promises(f"Read digits. {words}", 10)
    assert (promises.attackers, promises.questions) == (None, ())


def test_trust_in_some_clients_leaves_the_others():
    promises = read_promises("Most clients are honest, some of the banks are hostile.", 10)
    assert promises.attackers is not None


@pytest.mark.parametrize(
    "words",
    ["My neighbour.", "Neighbours cheat each other.", "Robustness is out of scope.",
     "A 9600 baud modem carries 50 MB per month.", "Each recording lasts ten minutes.",
     "Scanners run flat within an hour.", "The bus can take half an hour.",
     "At least 80 % of the images are labelled correctly.", "The learning rate is 0.1.",
     "A tenth of the photos show a bus at the end of round two.",
     "Seven kinds of mole at six clinics."],
)  # fmt: skip
def test_what_states_no_quantity_gives_none(words):
    promises = read_promises(words, 10)
    assert (promises.attackers, promises.privacy, promises.limits) == (None, None, {})
    assert promises.questions == ()


@pytest.mark.parametrize(
    ("words", "held"),
    [
        ("Use Adam, and differential privacy with epsilon 3.", {"epsilon": 3}),
        ("The optimiser is free; patients' privacy must be guaranteed with eps 2.", {"epsilon": 2}),
        ("Which client is slow does not matter; DP with epsilon 2.", {"epsilon": 2}),
        ("The order of clients does not matter, epsilon must be 2.", {"epsilon": 2}),
        ("Our experts are in a hurry, so finish within 10 minutes.", {"seconds": 600}),
        ("The doctors are busy: stop after at most 10 rounds.", {"rounds": 10}),
        ("As last week, training must end after 8 rounds at most.", {"rounds": 8}),
        (
            "Of the football clubs up to two clients may be malicious, says a defender.",
            {"attackers": 2},
        ),
        ("Two malicious clients may drop that round.", {"attackers": 2}),
    ],
)
def test_what_stands_beside_a_promise_does_not_undo_it(words, held):
    found = values(read_promises(words, 20))
    assert {name: found.get(name) for name in held} == held


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (
            "DP must hide whether a hospital as a whole took part; patients keep all their scans.",
            "client",
        ),
        ("Differential privacy protects every patient, who is known by the photos.", "person"),
    ],
)
def test_a_weaker_unit_that_is_spoken_of_does_not_replace_the_stated_one(words, unit):
    privacy = read_promises(words, 20).privacy
    assert privacy is not None and privacy.unit == unit


def test_what_hostile_clients_get_wrong_is_no_accuracy_to_stop_at():
    found = values(read_promises("No more than 5 % of the clients send updates with errors.", 20))
    assert "accuracy" not in found
