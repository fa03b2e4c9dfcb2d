"""Reads a privacy budget from what the quantities in a text stand for.

Where words leave room, the value is the one that promises most: here, the smallest budget.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.amounts.reader import Amount
from edgewright.agents.fl_coder.constraints.amounts.values import value_of
from edgewright.agents.fl_coder.constraints.places import Place

#: Adjectives of a budget that has no number.
_STRICT = re.compile(r"\b(?:strict|strong|tight|small|low|rigorous|stringent)\b", re.IGNORECASE)
_BUDGET = re.compile(
    r"\b(?:privacy[\s-]+(?:loss|budget|parameter|level|cost)|dp[\s-]+budget|budget)\b",
    re.IGNORECASE,
)
_PRIVACY = re.compile(r"\b(?:privacy|private|dp|dp-sgd|epsilon)\b|ε", re.IGNORECASE)


@dataclass(frozen=True)
class PrivacyBudget:
    """A stated privacy budget.

    Attributes:
        epsilons: Each maximum privacy loss that is stated, the smallest first.
        delta: Probability of exceeding it; None if not stated.
        words: The words that state the budget.
        confidence: Probability that at least one of its numbers is of a budget, 0 to 1.
        strict: Whether a budget is called strict or small instead of giving a number.
        places: Where its numbers stand.
    """

    epsilons: tuple[float, ...]
    delta: float | None
    words: str
    confidence: float
    strict: bool = False
    places: tuple[Place, ...] = ()


def read_budget(amounts: Sequence[Amount], sentences: Sequence[str]) -> PrivacyBudget | None:
    """Read a privacy budget. Return None if the text mentions none.

    Args:
        amounts: What the quantities of the text stand for.
        sentences: The sentences of the text.
    """
    stated = {
        role: [each for each in amounts if each.role == role and value_of(each.mention, role) > 0]
        for role in ("epsilon", "delta")
    }
    epsilons = {value_of(each.mention, "epsilon") for each in stated["epsilon"]}
    deltas = [value_of(each.mention, "delta") for each in stated["delta"]]
    places = tuple(each.mention.place for each in (*stated["epsilon"], *stated["delta"]))
    vague = [
        each
        for each in sentences
        if _BUDGET.search(each) and _PRIVACY.search(each) and _STRICT.search(each)
    ]
    strict = not epsilons and bool(vague)
    worded = [*dict.fromkeys(place.sentence for place in places), *(vague if strict else [])]
    if not worded:
        return None
    return PrivacyBudget(
        epsilons=tuple(sorted(epsilons)),
        delta=min(deltas, default=None),
        words=", ".join(each.rstrip(" .;!?") for each in dict.fromkeys(worded)),
        confidence=max((e.confidence for each in stated.values() for e in each), default=1.0),
        strict=strict,
        places=places,
    )
