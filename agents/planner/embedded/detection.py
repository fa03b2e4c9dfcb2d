"""From the verdict on a request to wishes: which cards it asks for, and with which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.planner.embedded.clauses import Clause
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.text.encoder import Vectors

#: A clause asks for a card that the request asks for when the card is at least this likely there.
ACCEPT = 0.3
#: A request leaves open what it means when a card is at least this likely, yet none is chosen.
UNSURE = 0.2
#: A task that no card serves is named to the person when it is at least this likely.
DECLINED = 0.5

#: Labels of clauses that ask for nothing.
SILENT = ("everyday-setting", "everyday-talk", "everyday-nonsense")


@dataclass(frozen=True)
class Intent:
    """A card that was asked for.

    Attributes:
        tool: Card id.
        start: Where the words that ask for it begin.
        end: Where they end.
        probability: How likely it was asked for.
        shares: Probability of every card for these words alone.
    """

    tool: str
    start: int
    end: int
    probability: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Judged:
    """The verdict on one request.

    Attributes:
        asked: Probability that it asks for any card.
        cards: Probability of each card and of ``AS_BEFORE``, given that it does.
        chosen: Those that it asks for.
        certainty: Calibrated probability that this is right.
    """

    asked: float
    cards: dict[str, float]
    chosen: tuple[str, ...]
    certainty: float


@dataclass(frozen=True)
class Reading:
    """What a request asks for.

    Attributes:
        intents: Cards, in the order of the words.
        declined: Clauses that ask for something no card serves, with the name of the task.
        unsure: Cards that the request may mean, when none of them is likely enough.
        probability: How likely the whole reading is right.
    """

    intents: tuple[Intent, ...]
    declined: tuple[tuple[Clause, str], ...]
    unsure: tuple[str, ...]
    probability: float


def read(
    clauses: Sequence[Clause], rows: Vectors, labels: Sequence[str], judged: Judged
) -> Reading:
    """Find the words that ask for the cards of a verdict.

    Args:
        clauses: The clauses of the request.
        rows: Probability of each label for each of them, float32 ``[C, labels]``.
        labels: Card ids first, then names of tasks that no card serves.
        judged: The verdict.
    """
    intents: list[Intent] = []
    declined: list[tuple[Clause, str]] = []
    shares = [dict(zip(judged.cards, row, strict=False)) for row in rows.tolist()]
    likeliest = {
        tool: max(range(len(clauses)), key=lambda place: shares[place][tool])
        for tool in judged.chosen
    }
    begin = clauses[0].start if clauses else 0
    for place, clause in enumerate(clauses):
        asked = [
            tool
            for tool in judged.chosen
            if shares[place][tool] >= ACCEPT or likeliest[tool] == place
        ]
        for tool in asked:
            likely = judged.asked * judged.cards[tool]
            intents.append(Intent(tool, begin, clause.end, likely, shares[place]))
        name = labels[int(rows[place].argmax())]
        foreign = name not in judged.cards and name not in SILENT
        if not asked and foreign and rows[place].max() >= DECLINED:
            declined.append((clause, name.removeprefix("everyday-").replace("-", " ")))
        elif not asked:
            continue
        begin = clause.end
    cards = [tool for tool in judged.cards if tool != AS_BEFORE]
    order = sorted(cards, key=lambda tool: judged.cards[tool], reverse=True)
    doubtful = not intents and judged.asked >= UNSURE
    return Reading(
        intents=tuple(intents),
        declined=tuple(declined),
        unsure=tuple(order[:2]) if doubtful else (),
        probability=judged.certainty,
    )
