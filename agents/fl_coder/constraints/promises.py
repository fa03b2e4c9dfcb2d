"""What a person said that training must hold, for the design, the checks and the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from edgewright.agents.fl_coder.constraints.amounts.features import Encoded, encoded
from edgewright.agents.fl_coder.constraints.amounts.reader import (
    Amount,
    hostile_said,
    in_clauses,
    read_amounts,
)
from edgewright.agents.fl_coder.constraints.budget import PrivacyBudget, read_budget
from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.denials import DISMISSED
from edgewright.agents.fl_coder.constraints.hostile import (
    denied,
    is_dismissed,
    read_hostile,
)
from edgewright.agents.fl_coder.constraints.limits import Quantity, StatedLimit, limits_of
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
from edgewright.agents.fl_coder.constraints.privacy_unit import (
    MAY_CONCERN,
    Unit,
    read_unit,
)
from edgewright.agents.fl_coder.constraints.spans import PLAIN, Constraint, read_constraints
from edgewright.agents.fl_coder.constraints.unread import Unread, find_unread

#: Privacy budget if the words require a guarantee without giving numbers, and if they call it
#: strict.
EPSILON, STRICT_EPSILON, DELTA = 8.0, 1.0, 1e-5

#: Minimum confidence in a constraint that two words state.
_CLEAR = 0.6

#: Minimum confidence that a quantity stands for nothing for its clause not to be asked about.
_SURE = 0.9
#: Probability from which something is likelier than not.
_EVEN = 0.5
#: By how much a budget or a constraint must be clearer than that no privacy is required.
_MARGIN = 0.2

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
    encoded_parts = [encoded(sentences(part)) for part in parts]
    said = [read_amounts(part, clients) for part in encoded_parts]
    amounts = [each for part in said for each in part]
    limits = [limit for part in said for limit in limits_of(part)]
    taking = [each for part in said if (each := read_participation(part, clients))]
    participation = taking[-1] if taking else None
    proximal, refused = read_proximal(text, amounts), read_refused(text)
    used = [each.mention.place for each in amounts if each.role != "none"]
    used += _described(text, stated, [words for words, _ in refused])
    owners = read_owners(text)
    used += [owners.place] if owners else []
    idle = [e.mention.place for e in amounts if e.role == "none" and e.confidence >= _SURE]
    unread = find_unread(text, used, clients, counted_owners=owners is not None, unimportant=idle)
    joined = in_clauses(
        Encoded(
            tuple(s for part in encoded_parts for s in part.sentences),
            tuple(t for part in encoded_parts for t in part.tokens),
        )
    )
    questions: list[str] = []
    privacy = attackers = None
    if "attackers" not in without:
        attackers = _attackers(joined, amounts, clients, stated.get("attackers"), questions)
        attackers = attackers or _unclear_attackers(unread, clients)
    budgets = any(each.role in ("epsilon", "delta") for each in amounts)
    if "privacy" not in without and (budgets or MAY_CONCERN.search(text)):
        privacy = _privacy(joined, amounts, clients, stated.get("privacy"), unread, questions)
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
    text: Encoded,
    amounts: Sequence[Amount],
    clients: int,
    stated: Constraint | None,
    unread: tuple[Unread, ...],
    questions: list[str],
) -> StatedPrivacy | None:
    budget = read_budget(amounts, text.sentences)
    unit = read_unit(text)
    withdrawn = any(DISMISSED.search(sentence) for sentence in text.sentences)
    evidence = max(
        stated.confidence if stated and not withdrawn else 0.0,
        budget.confidence if budget else 0.0,
    )
    certain = evidence == 1 and not withdrawn  # "eps<=4" in a note, which says little else
    if not certain and max(unit.required, evidence - _MARGIN) <= 1 - unit.required:
        return None
    words = [budget.words] if budget else []
    said = unit.words or (stated.words if stated else "")
    words += [said] if said and said not in "".join(words) else []
    if not unit.sure:
        questions.append(
            "Whom must privacy protect: single samples, persons, or whole clients? The words leave "
            f"it open, so each {unit.unit} is protected."
        )
    delta = budget.delta if budget and budget.delta else min(DELTA, 0.1 / clients)
    epsilon = _epsilon(budget, unread, questions)
    return StatedPrivacy(
        unit.unit, epsilon, delta, ", ".join(words), budget.places if budget else ()
    )


def _epsilon(
    budget: PrivacyBudget | None, unread: tuple[Unread, ...], questions: list[str]
) -> float:
    """Return the epsilon that is held, and ask about it if the words leave it open."""
    if budget and budget.epsilons:
        least, most = budget.epsilons[0], budget.epsilons[-1]
        if least < most:
            questions.append(
                f"Epsilon is {least:g} in one place and {most:g} in another; may it be {least:g}?"
            )
        return least
    # A number that was not understood may be a smaller budget than the usual one.
    unclear = any(each.topic == "privacy" for each in unread)
    epsilon = STRICT_EPSILON if unclear or (budget and budget.strict) else EPSILON
    questions.append(
        f"Which epsilon may the training spend? The words give none, so {epsilon:g} is assumed."
    )
    return epsilon


def _attackers(
    text: Encoded,
    amounts: Sequence[Amount],
    clients: int,
    stated: Constraint | None,
    questions: list[str],
) -> StatedAttackers | None:
    """Read the hostile clients."""
    threat = dict(zip(text.sentences, hostile_said(text), strict=True))
    threatening = [part for part, likely in threat.items() if likely >= _EVEN]
    clear = [
        each
        for each in amounts
        if each.confidence >= _EVEN
        or any(part in each.mention.place.sentence for part in threatening)
    ]
    hostile = read_hostile(clear, clients)
    words = hostile.words if hostile else ""
    likeliest = max(threat, key=lambda each: threat[each], default="")
    if hostile is None and likeliest and not is_dismissed(likeliest):
        evidence = stated.confidence - _MARGIN if stated else 0.0
        if max(threat[likeliest], evidence) > 1 - threat[likeliest]:
            words = likeliest.strip(" .;!?")
    if not words:
        return None
    count = hostile.count if hostile else None
    places = hostile.places if hostile else ()
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
