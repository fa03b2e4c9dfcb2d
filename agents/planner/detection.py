"""From clause probabilities to wishes: which cards a request asks for, and with which words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgewright.agents.planner.clauses import Clause
from edgewright.agents.planner.encoder import Vectors
from edgewright.agents.planner.model import ClauseModel

#: A clause asks for its best card when the card is at least this likely, or this much and likelier
#: than any other card or foreign task.
ACCEPT = 0.3
ACCEPT_BEST = 0.2
#: It asks for a second card too, or leaves open which of two is meant, from here on.
SECOND = 0.3
UNSURE = 0.2
#: A task that no card serves is named to the person when it is at least this likely.
DECLINED = 0.5

#: Share of the whole request in what is thought of one of its clauses.
CONTEXT = 0.3
#: What keeps a pool of opinions that exclude each other from being empty.
_TINY = np.float32(1e-9)
#: How much less likely foreign tasks are when a picture is at hand.
IN_VIEW = 3.0

#: The heads know more than they claim; this much is added to the log-odds of what they say. Fitted
#: on the development split of ``benchmarks/data/planner`` and rounded down, for requests that are
#: new are a little harder.
MODESTY = 2.1

#: Labels of clauses that ask for nothing.
SILENT = ("everyday-setting", "everyday-talk", "everyday-nonsense")


@dataclass(frozen=True)
class Wish:
    """A card that was asked for.

    Attributes:
        tool: Card id.
        start: Where the words that ask for it begin.
        end: Where they end.
        probability: How likely it was asked for.
        shares: Probability of every card for these words.
    """

    tool: str
    start: int
    end: int
    probability: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Reading:
    """What a request asks for.

    Attributes:
        wishes: Cards, in the order of the words.
        declined: Clauses that ask for something no card serves, with the name of the task.
        unsure: Cards that the request may mean, when none of them is likely enough.
        probability: How likely the whole reading is right.
    """

    wishes: tuple[Wish, ...]
    declined: tuple[tuple[Clause, str], ...]
    unsure: tuple[str, ...]
    probability: float


def calibrated(probability: float) -> float:
    """Return how often a reading of this probability is right, between 0 and 1."""
    inside = min(max(probability, 1e-4), 1 - 1e-4)
    return 1 / (1 + math.exp(-math.log(inside / (1 - inside)) - MODESTY))


def in_view(probabilities: Vectors, model: ClauseModel) -> Vectors:
    """Weigh tasks that no card serves less, as is right when a picture is at hand.

    Then "how many are there" is hardly a question of arithmetic.

    Args:
        probabilities: The model's output for the clauses of one request, float32 ``[C, labels]``.
        model: The model.
    """
    foreign = [label not in SILENT for label in model.labels[model.tools :]]
    weights = np.ones(len(model.labels), np.float32)
    weights[model.tools :][foreign] /= IN_VIEW
    weighed = probabilities * weights
    shares: Vectors = weighed / weighed.sum(axis=1, keepdims=True)
    return shares


def in_context(clauses: Vectors, whole: Vectors) -> Vectors:
    """Weigh what each clause asks for by what the request as a whole asks for.

    A clause alone can mislead or say too little ("He holds something. What is it?"). The two
    opinions are pooled as logarithms: a label needs some support from both.

    Args:
        clauses: The model's output for the clauses of one request, float32 ``[C, labels]``.
        whole: Its output for the request read as one clause, float32 ``[labels]``.
    """
    pooled = clauses ** np.float32(1 - CONTEXT) * whole ** np.float32(CONTEXT) + _TINY
    shares: Vectors = pooled / pooled.sum(axis=1, keepdims=True)
    return shares


def read(clauses: Sequence[Clause], probabilities: Vectors, model: ClauseModel) -> Reading:
    """Decide what the clauses ask for.

    Args:
        clauses: The clauses.
        probabilities: The model's output for them, float32 ``[C, labels]``.
        model: The model.
    """
    wishes: list[Wish] = []
    declined: list[tuple[Clause, str]] = []
    unsure: dict[str, float] = {}
    certainty = 1.0
    begin = clauses[0].start if clauses else 0
    for clause, row in zip(clauses, probabilities.tolist(), strict=True):
        shares = dict(zip(model.labels[: model.tools], row, strict=False))
        order = sorted(shares, key=lambda tool: shares[tool], reverse=True)
        least = ACCEPT_BEST if shares[order[0]] == max(row) else ACCEPT
        asked = [tool for tool in order[:1] if shares[tool] >= least]
        asked += [tool for tool in order[1:] if asked and shares[tool] >= SECOND]
        if asked:
            wishes += [Wish(tool, begin, clause.end, shares[tool], shares) for tool in asked]
            certainty *= sum(shares[tool] for tool in asked)
            begin = clause.end
            continue
        certainty *= 1 - sum(shares.values())
        unsure |= {tool: shares[tool] for tool in order[:2] if shares[tool] >= UNSURE}
        best = max(range(len(row)), key=row.__getitem__)
        name = model.labels[best]
        if best >= model.tools and row[best] >= DECLINED and name not in SILENT:
            declined.append((clause, name.removeprefix("everyday-").replace("-", " ")))
            begin = clause.end
    return Reading(
        wishes=tuple(wishes),
        declined=tuple(declined),
        unsure=() if wishes else tuple(unsure),
        probability=certainty,
    )
