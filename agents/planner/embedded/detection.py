"""From the verdict on a request to its intents: the requested cards, and the words for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.clauses import Clause
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.text.encoder import Vectors

#: A clause requests a chosen card if the card is at least this likely in it.
ACCEPT = 0.3
#: A request without a chosen card is ambiguous if it is at least this likely to request any card.
UNSURE = 0.2
#: A task that no card serves is named to the person if it is at least this likely.
DECLINED = 0.5

#: Labels of clauses that request nothing.
SILENT = ("everyday-setting", "everyday-talk", "everyday-nonsense")


@dataclass(frozen=True)
class Intent:
    """A requested card.

    Attributes:
        tool: Card id.
        start: Start of the words that request it.
        end: End of these words.
        probability: Probability that it is requested.
        shares: Probability of every card given these words alone.
        unit: Position of the unit of the request that the words belong to.
        question: The question to ask, if it is known already.
    """

    tool: str
    start: int
    end: int
    probability: float
    shares: dict[str, float]
    unit: int = 0
    question: str = ""


@dataclass(frozen=True)
class Judged:
    """The verdict on one request.

    Attributes:
        any_card: Probability that it requests any card.
        cards: Probability of each card and of ``AS_BEFORE``, given that it does.
        chosen: The cards that it requests.
        certainty: Calibrated probability that the choice is right.
    """

    any_card: float
    cards: dict[str, float]
    chosen: tuple[str, ...]
    certainty: float


@dataclass(frozen=True)
class Reading:
    """The interpretation of a request.

    Attributes:
        intents: Requested cards, in the order of the words.
        declined: Clauses that request a task no card serves, with the name of the task.
        unsure: Cards that the request may mean, if none of them is likely enough.
        probability: Probability that the whole reading is right.
    """

    intents: tuple[Intent, ...]
    declined: tuple[tuple[Clause, str], ...]
    unsure: tuple[str, ...]
    probability: float


def read(
    clauses: Sequence[Clause], rows: Vectors, labels: Sequence[str], judged: Judged
) -> Reading:
    """Find the words that request each chosen card.

    Args:
        clauses: The clauses of the request.
        rows: Probability of each label in each clause, float32 ``[C, labels]``.
        labels: Card ids first, then names of tasks that no card serves.
        judged: The verdict.
    """
    intents: list[Intent] = []
    declined: list[tuple[Clause, str]] = []
    shares = [dict(zip(judged.cards, row, strict=False)) for row in rows.tolist()]
    likeliest = {
        tool: max(range(len(clauses)), key=lambda index: shares[index][tool])
        for tool in judged.chosen
    }
    begin = clauses[0].start if clauses else 0
    for index, clause in enumerate(clauses):
        requested = [
            tool
            for tool in judged.chosen
            if shares[index][tool] >= ACCEPT or likeliest[tool] == index
        ]
        for tool in requested:
            probability = judged.any_card * judged.cards[tool]
            intents.append(Intent(tool, begin, clause.end, probability, shares[index]))
        name = labels[int(rows[index].argmax())]
        unserved = name not in judged.cards and name not in SILENT
        if not requested and unserved and rows[index].max() >= DECLINED:
            declined.append((clause, name.removeprefix("everyday-").replace("-", " ")))
        elif not requested:
            continue
        begin = clause.end
    cards = [tool for tool in judged.cards if tool != AS_BEFORE]
    order = sorted(cards, key=lambda tool: judged.cards[tool], reverse=True)
    ambiguous = not intents and judged.any_card >= UNSURE
    return Reading(
        intents=tuple(intents),
        declined=tuple(declined),
        unsure=tuple(order[:2]) if ambiguous else (),
        probability=judged.certainty,
    )
