"""What a person said that training must hold, for the design, the checks and the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.hostile import (
    all_trusted,
    denied,
    find_hostile,
    is_dismissed,
    read_hostile,
)
from edgewright.agents.fl_coder.constraints.limits import Quantity, StatedLimit, read_limits
from edgewright.agents.fl_coder.constraints.methods import (
    PROXIMAL,
    read_proximal,
    read_refused,
)
from edgewright.agents.fl_coder.constraints.numbers import normalised
from edgewright.agents.fl_coder.constraints.owners import read_owners
from edgewright.agents.fl_coder.constraints.participation import (
    StatedParticipation,
    read_participation,
)
from edgewright.agents.fl_coder.constraints.places import Place, anchored, sentences
from edgewright.agents.fl_coder.constraints.privacy_unit import StatedUnit, Unit, read_unit
from edgewright.agents.fl_coder.constraints.quantities import (
    DISMISSED,
    of_optimiser,
    read_budget,
)
from edgewright.agents.fl_coder.constraints.spans import PLAIN, Constraint, read_constraints
from edgewright.agents.fl_coder.constraints.unread import Unread, find_unread, without_places

#: Privacy budget if the words require a guarantee without giving numbers, and if they call it
#: strict.
EPSILON, STRICT_EPSILON, DELTA = 8.0, 1.0, 1e-5

#: Minimum confidence in a constraint that two words state.
_CLEAR = 0.6

_PRIVACY = re.compile(
    r"\bdifferential(?:ly)?[\s-]+privat?\w*|\bdp\b|\bdp-?\s?sgd\b|\bclip\w*\s+and\s+(?:\w+\s+)?noise\b"
    r"|\bguarantee\s+(?:\w+\s+){0,2}(?:hold|cover|protect|attach|extend)\w*"
    r"|\b(?:disappear|vanish|drown|be\s+(?:lost|hidden))\w*\s+in\s+(?:the\s+)?noise\b"
    r"|\bnoise\s+(?:that\s+)?(?:fits?|hides?|covers?|protects?)\b"
    r"|\b(?:mrs?\.?\s+\w+|people|persons?|patients?|pupils?|customers?)\s+(?:that\s+|whom?\s+)?(?:i|we)\s+"
    r"(?:have|need|want)\s+to\s+protect\b"
    r"|\bgets?\s+(?:its|their|his|her)\s+own\s+guarantee\b"
    r"|\b(?:whether|if)\s+an?\s+(?:certain|particular|given|specific|single)\s+\w+\s+(?:is|was|has\s+been)"
    r"\s+(?:ever\s+)?(?:in|part\s+of|among)\b"
    r"|\b(?:must|should|to|shall)\s+be\s+(?:protected|deniable|hidden)\b",
    re.IGNORECASE,
)
_NOT_PRIVATE = re.compile(r"\b(?:no|without|not|skip|forget)\s+(?:any\s+)?$", re.IGNORECASE)
#: Constraints that describe the data, numbers included.
_DESCRIBING: tuple[Kind, ...] = ("skew", "noise", "personal")
#: Limits that belong to a constraint, and are withdrawn with it.
_LIMITS_OF: dict[Quantity, Kind] = {
    "bytes": "thin-links",
    "total_bytes": "thin-links",
    "memory": "weak-devices",
}


@dataclass(frozen=True)
class StatedPrivacy:
    """The guarantee that the words require.

    Attributes:
        unit: What is protected.
        epsilon: Privacy budget.
        delta: Probability with which it may fail.
        words: The words that require it.
        places: Where the numbers of its budget stand.
    """

    unit: Unit
    epsilon: float
    delta: float
    words: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class StatedAttackers:
    """The hostile clients that the words speak of.

    Attributes:
        count: How many must be tolerated; if the words do not say, the largest minority.
        words: The words.
        places: Where numbers of hostile clients stand.
    """

    count: int
    words: str
    places: tuple[Place, ...] = ()


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
        unread: Quantities in the words that nothing used.
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
    unread: tuple[Unread, ...] = ()
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
    parts = [_closed(each.translate(PLAIN)) for each in (text, *remarks)]
    text = "\n".join(parts)
    stated = {each.kind: each for each in read_constraints(text)}
    limits = [limit for part in parts for limit in read_limits(part)]
    taking = [each for part in parts if (each := read_participation(part, clients))]
    participation = taking[-1] if taking else None
    proximal, refused = read_proximal(text), read_refused(text)
    used = [place for each in (*limits, *taking, proximal) if each for place in each.places]
    used += _described(text, stated, [words for words, _ in refused])
    owners = read_owners(text)
    used += [owners.place] if owners else []
    questions: list[str] = []
    privacy = attackers = None
    if "attackers" not in without:
        counted = [place for each in taking for place in anchored(each.places, text)]
        attackers = _attackers(text, clients, stated.get("attackers"), counted, questions)
        used += attackers.places if attackers else ()
    unread = find_unread(text, used, clients, counted_owners=owners is not None)
    if attackers is None and "attackers" not in without:
        attackers = _unclear_attackers(unread, clients)
    if "privacy" not in without:
        privacy = _privacy(text, clients, stated.get("privacy"), unread, questions)
        unread = without_places(unread, privacy.places if privacy else ())
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
    unread = tuple(each for each in unread if each.topic not in without)
    questions += [each.question for each in unread if each.topic]
    return Promises(
        constraints=tuple(kinds),
        privacy=privacy,
        attackers=attackers,
        limits={
            each.quantity: each for each in limits if _LIMITS_OF.get(each.quantity) not in without
        },
        proximal=proximal.weight if proximal else None,
        participation=participation,
        refused=tuple(refused),
        questions=tuple(questions),
        unread=unread,
        withdrawn=without,
    )


def _closed(part: str) -> str:
    """Return a part of a text that ends with its last sentence."""
    part = part.rstrip(" \n.;")
    return part if part.endswith(("?", "!")) else f"{part}."


def _described(text: str, stated: dict[Kind, Constraint], refused: list[str]) -> list[Place]:
    """Return where words describe data or ask for what is refused."""
    phrases = [
        " ".join(normalised(words).split())
        for kind in _DESCRIBING
        if kind in stated
        for words in stated[kind].phrases
    ]
    return list(anchored([Place(w, 0, len(w)) for w in (*phrases, *refused)], text))


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
    if PROXIMAL.search(constraint.words) or DISMISSED.search(constraint.words):
        return False
    return len(constraint.words.split()) > 2 or constraint.confidence >= _CLEAR


def _privacy(
    text: str,
    clients: int,
    stated: Constraint | None,
    unread: tuple[Unread, ...],
    questions: list[str],
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
    places = budget.places if budget else ()
    if epsilon is None:
        # A number that was not understood may be a smaller budget than the usual one.
        unclear = any(each.topic == "privacy" for each in without_places(unread, places))
        strict = unclear or (budget is not None and budget.strict)
        epsilon = STRICT_EPSILON if strict else EPSILON
        questions.append(
            f"Which epsilon may the training spend? The words give none, so {epsilon:g} is assumed."
        )
    delta = budget.delta if budget and budget.delta else None
    if delta is None:
        delta = min(DELTA, 0.1 / clients)
    if unit.words and unit.words not in words:
        words = f"{words}, {unit.words}"
    return StatedPrivacy(unit.unit, epsilon, delta, words, places)


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
    text: str,
    clients: int,
    stated: Constraint | None,
    counted: list[Place],
    questions: list[str],
) -> StatedAttackers | None:
    """Read the hostile clients; numbers at the places ``counted`` are those of others."""
    hostile = find_hostile(text, clients)
    if stated is None and hostile is None:
        return None
    words = hostile.words if hostile else stated.words if stated else ""
    count = hostile.count if hostile else None
    if hostile is None and stated is not None:
        around = _around(stated.words, text)
        if is_dismissed(stated.words) or is_dismissed(around) or all_trusted(text):
            return None
        hostile = read_hostile(stated.words, clients) or read_hostile(around, clients)
        count = hostile.count if hostile else None
        places = anchored(hostile.places, text) if hostile else ()
        if places and all(any(place.overlaps(one) for one in counted) for place in places):
            return None
    places = anchored(hostile.places, text) if hostile else ()
    minority = max(1, (clients - 1) // 2)
    if count is None:
        questions.append(
            f"How many of the {clients} clients may be hostile at once? The words give no number, "
            f"so {minority} is assumed."
        )
        return StatedAttackers(minority, words, places)
    if 2 * count >= clients:
        questions.append(
            f"{count} of {clients} clients are half of them or more, which no aggregation rule "
            f"tolerates; at most {minority} can be. How many must be tolerated?"
        )
        count = minority
    return StatedAttackers(count, words, places)


def _unclear_attackers(unread: tuple[Unread, ...], clients: int) -> StatedAttackers | None:
    """Return the largest minority if a number of hostile clients may not have been understood."""
    for each in unread:
        if each.topic == "attackers" and not denied(each.place.sentence):
            minority = max(1, (clients - 1) // 2)
            return StatedAttackers(minority, each.place.sentence.strip(" .;!?"))
    return None


def _dismissed(text: str, words: str) -> bool:
    return bool(DISMISSED.search(words) or DISMISSED.search(_around(words, text)))


def _around(words: str, text: str) -> str:
    """Return the sentence of a text that contains words: "Byzantine clients: up to 3 of 15"."""
    return next((each for each in re.split(r"(?<=[.!?])\s+", text) if words in each), "")
