"""What a person said that training must hold, for the design, the checks and the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.hostile import all_trusted, find_hostile, read_hostile
from edgewright.agents.fl_coder.constraints.limits import Quantity, StatedLimit, read_limits
from edgewright.agents.fl_coder.constraints.numbers import numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.participation import (
    StatedParticipation,
    read_participation,
)
from edgewright.agents.fl_coder.constraints.privacy_unit import StatedUnit, Unit, read_unit
from edgewright.agents.fl_coder.constraints.quantities import (
    DISMISSED,
    of_optimiser,
    read_budget,
    sentences,
)
from edgewright.agents.fl_coder.constraints.spans import PLAIN, Constraint, read_constraints

#: Privacy budget if the words require a guarantee without giving numbers, and if they call it
#: strict.
EPSILON, STRICT_EPSILON, DELTA = 8.0, 1.0, 1e-5

#: Minimum confidence in a constraint that two words state.
_CLEAR = 0.6

_PRIVACY = re.compile(
    r"\bdifferential(?:ly)?[\s-]+privat?\w*|\bdp\b|\bdp-?\s?sgd\b|\bclip\w*\s+and\s+(?:\w+\s+)?noise\b"
    r"|\bguarantee\s+(?:\w+\s+){0,2}(?:hold|cover|protect)\w*"
    r"|\b(?:must|should|to|shall)\s+be\s+(?:protected|deniable|hidden)\b",
    re.IGNORECASE,
)
_NOT_PRIVATE = re.compile(r"\b(?:no|without|not|skip|forget)\s+(?:any\s+)?$", re.IGNORECASE)
_PROXIMAL = re.compile(r"\bfed[\s-]?prox\b|\bproximal\b", re.IGNORECASE)
_NOT_PROXIMAL = re.compile(
    r"\b(?:no|not|without|avoid|never|don't)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
#: Limits that belong to a constraint, and are withdrawn with it.
_LIMITS_OF: dict[Quantity, Kind] = {
    "bytes": "thin-links",
    "total_bytes": "thin-links",
    "memory": "weak-devices",
}
#: What cannot be held, and what to do instead.
_REFUSED = (
    (
        re.compile(
            r"\b(?:recall|precision|sensitivity|specificity|f1)\b", re.IGNORECASE
        ),
        "training neither aims nor stops at it; it aims at accuracy over all classes, and the "
        "model's recall must be measured before use",
    ),
    (
        re.compile(
            r"\b(?:equal\w*|fair\w*|same\s+accuracy|balanced)\b[^.;]{0,30}\b(?:over|across|between|"
            r"for\s+all|among)\b",
            re.IGNORECASE,
        ),
        "the data do not say which group a sample belongs to, so it can be neither trained for nor "
        "measured; partition by an attribute, so that the worst client is reported",
    ),
    (
        re.compile(
            r"\b(?:scaffold|fed-?dyn|fed-?yogi|fed-?nova|fed-?ada-?grad|moon|feddc|fedbn|fed-?per)"
            r"\b",
            re.IGNORECASE,
        ),
        "it is not available; the strategies are FedAvg, FedProx, FedAvgM, FedAdam, the trimmed "
        "mean, the median, Krum and Multi-Krum",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class StatedPrivacy:
    """The guarantee that the words require.

    Attributes:
        unit: What is protected.
        epsilon: Privacy budget.
        delta: Probability with which it may fail.
        words: The words that require it.
    """

    unit: Unit
    epsilon: float
    delta: float
    words: str


@dataclass(frozen=True)
class StatedAttackers:
    """The hostile clients that the words speak of.

    Attributes:
        count: How many must be tolerated; if the words do not say, the largest minority.
        words: The words.
    """

    count: int
    words: str


@dataclass(frozen=True)
class Promises:
    """Everything that training must hold.

    Attributes:
        constraints: Kinds of constraints, with the words that state them.
        privacy: The guarantee; None if none is required.
        attackers: The hostile clients; None if none are expected.
        limits: Limits on training, by quantity.
        proximal: FedProx's weight; None if it was not named.
        participation: How many clients take part in a round; None if all of them may.
        refused: Words that cannot be held, and why.
        questions: Questions to the person about promises that the words leave unclear.
        withdrawn: Constraints that the person withdrew, which the data alone must not revive.
    """

    constraints: tuple[Constraint, ...] = ()
    privacy: StatedPrivacy | None = None
    attackers: StatedAttackers | None = None
    limits: dict[Quantity, StatedLimit] = field(default_factory=dict)
    proximal: float | None = None
    participation: StatedParticipation | None = None
    refused: tuple[tuple[str, str], ...] = ()
    questions: tuple[str, ...] = ()
    withdrawn: frozenset[Kind] = frozenset()


@lru_cache(maxsize=32)
def read_promises(
    text: str,
    clients: int,
    *,
    remarks: tuple[str, ...] = (),
    without: frozenset[Kind] = frozenset(),
) -> Promises:
    """Read what a text promises.

    Args:
        text: The person's words.
        clients: Number of clients that train in a round.
        remarks: What the person added, oldest first; a limit in it replaces an earlier one.
        without: Constraints that the person withdrew.
    """
    parts = [each.translate(PLAIN) for each in (text, *remarks)]
    text = parts[0]
    for part in parts[1:]:
        text = f"{text.rstrip(' .;')}.\n{part}"  # a sentence of its own
    stated = {each.kind: each for each in read_constraints(text)}
    questions: list[str] = []
    privacy = attackers = None
    if "privacy" not in without:
        privacy = _privacy(text, clients, stated.get("privacy"), questions)
    if "attackers" not in without:
        attackers = _attackers(text, clients, stated.get("attackers"), questions)
    participation = next(filter(None, (read_participation(p, clients) for p in parts[::-1])), None)
    if attackers is not None and participation is not None:
        questions += _outvoted(attackers, participation)
    if attackers is not None and privacy is not None and privacy.unit == "client":
        questions.append(
            "Noise that protects whole clients hides who is hostile, so both promises cannot be "
            "held. Which one matters more? Until then, privacy is held."
        )
    kinds = [
        each
        for each in stated.values()
        if each.kind not in {"privacy", "attackers", *without} and _says_something(each)
    ]
    if privacy is not None:
        kinds.append(Constraint("privacy", privacy.words, 1.0))
    if attackers is not None:
        kinds.append(Constraint("attackers", attackers.words, 1.0))
    return Promises(
        constraints=tuple(kinds),
        privacy=privacy,
        attackers=attackers,
        limits={
            each.quantity: each
            for part in parts
            for each in read_limits(part)
            if _LIMITS_OF.get(each.quantity) not in without
        },
        proximal=read_proximal(text),
        participation=participation,
        refused=tuple(_refused(text)),
        questions=tuple(questions),
        withdrawn=without,
    )


def _outvoted(attackers: StatedAttackers, participation: StatedParticipation) -> list[str]:
    """Return the question that a round asks in which hostile clients may be the majority."""
    if 2 * attackers.count < participation.clients:
        return []
    return [
        f"A round has {participation.clients} clients, and all {attackers.count} hostile ones may "
        "be among them, which no aggregation rule tolerates. May more clients take part in a round?"
    ]


def _says_something(constraint: Constraint) -> bool:
    """Return whether words state a constraint, and not only two unclear words or a method."""
    if _PROXIMAL.search(constraint.words) or DISMISSED.search(constraint.words):
        return False
    return len(constraint.words.split()) > 2 or constraint.confidence >= _CLEAR


def _privacy(
    text: str, clients: int, stated: Constraint | None, questions: list[str]
) -> StatedPrivacy | None:
    budget = read_budget(text)
    named = _named_privacy(text)
    if stated is not None and (
        _dismissed(text, stated.words) or of_optimiser(_around(stated.words, text))
    ):
        stated = None
    if budget is None and stated is None and not named:
        return None
    unit: StatedUnit = read_unit(text)
    words = budget.words if budget else stated.words if stated else named
    epsilon = budget.epsilon if budget else None
    if epsilon is None:
        epsilon = STRICT_EPSILON if budget and budget.strict else EPSILON
        questions.append(
            f"Which epsilon may the training spend? The words give none, so {epsilon:g} is assumed."
        )
    delta = budget.delta if budget and budget.delta else None
    if delta is None:
        delta = min(DELTA, 0.1 / clients)
    if unit.words and unit.words not in words:
        words = f"{words}, {unit.words}"
    return StatedPrivacy(unit.unit, epsilon, delta, words)


def _named_privacy(text: str) -> str:
    """Return the words that require differential privacy; empty if none do."""
    for sentence in sentences(text):
        match = _PRIVACY.search(sentence)
        denied = match and _NOT_PRIVATE.search(sentence[: match.start()])
        required = re.search(r"\bno\s+dp\b|\bnot\s+(?:required|needed)\b", sentence, re.IGNORECASE)
        if match and not denied and not required and not DISMISSED.search(sentence):
            return sentence.strip(" .;!?")
    return ""


def _attackers(
    text: str, clients: int, stated: Constraint | None, questions: list[str]
) -> StatedAttackers | None:
    hostile = find_hostile(text, clients)
    if stated is None and hostile is None:
        return None
    words = hostile.words if hostile else stated.words if stated else ""
    count = hostile.count if hostile else None
    if hostile is None and stated is not None:
        if _dismissed(text, stated.words) or all_trusted(text):
            return None
        count = read_hostile(stated.words, clients) or read_hostile(
            _around(stated.words, text), clients
        )
    minority = max(1, (clients - 1) // 2)
    if count is None:
        questions.append(
            f"How many of the {clients} clients may be hostile at once? The words give no number, "
            f"so {minority} is assumed."
        )
        return StatedAttackers(minority, words)
    if 2 * count >= clients:
        questions.append(
            f"{count} of {clients} clients are half of them or more, which no aggregation rule "
            f"tolerates; at most {minority} can be. How many must be tolerated?"
        )
        count = minority
    return StatedAttackers(count, words)


def _dismissed(text: str, words: str) -> bool:
    return bool(DISMISSED.search(words) or DISMISSED.search(_around(words, text)))


def _around(words: str, text: str) -> str:
    """Return the sentence of a text that contains words: "Byzantine clients: up to 3 of 15"."""
    return next((each for each in re.split(r"(?<=[.!?])\s+", text) if words in each), "")


def read_proximal(text: str) -> float | None:
    """Read FedProx's weight, the usual 0.1 if it has no number; None if it is not named."""
    match = _PROXIMAL.search(text)
    if match is None or _NOT_PROXIMAL.search(text[: match.start()]):
        return None
    tokens = tokens_of(text[match.end() :])
    names = {"mu", "μ", "weight", "term"}
    near = [n for n in numbers_of(tokens) if n.first <= 6 and 0 < n.low <= 10 and not n.article]
    return near[0].low if near and names & {t.text for t in tokens[: near[0].first]} else 0.1


def _refused(text: str) -> list[tuple[str, str]]:
    return [
        (sentence.strip(" .;!?"), reason)
        for sentence in sentences(text)
        for pattern, reason in _REFUSED
        if pattern.search(sentence) and not DISMISSED.search(sentence)
    ]
