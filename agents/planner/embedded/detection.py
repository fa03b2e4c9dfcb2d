"""From the verdict on a request to its intents: the requested cards, and the words for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgewright.agents.planner.embedded.grammar.clauses import Clause
from edgewright.agents.planner.embedded.grammar.lexicon import read_grammar
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.agents.text.blocks import Vectors

#: A clause requests a chosen card if the card is at least this likely in it.
ACCEPT = 0.3
#: A request without a chosen card is ambiguous if it is at least this likely to request any card.
UNSURE = 0.2
#: A task that no card serves is named to the person if such tasks are at least this likely.
DECLINED = 0.5

#: A sentence adds a card to those of its whole text if it is at least this certain of it, and if
#: each of those is at most this likely in the sentence.
CERTAIN = 0.9
APART = 0.1

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
        unserved = sum(
            share
            for label, share in zip(labels, rows[index].tolist(), strict=True)
            if label not in judged.cards and label not in SILENT
        )
        foreign = name not in judged.cards and name not in SILENT
        if not requested and foreign and unserved >= DECLINED:
            declined.append((clause, _called(name)))
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


def _called(name: str) -> str:
    """Return what a task that no card serves is called to the person."""
    everyday = name.removeprefix("everyday-")
    called: dict[str, str] = read_grammar("lexicon")["everyday"]
    return (
        called.get(everyday, everyday.replace("-", " "))
        if everyday != name
        else name.replace("-", " ")
    )


def with_sentences(whole: Reading, parts: Sequence[tuple[Clause, Reading]]) -> Reading:
    """Add to the reading of a text what its sentences certainly request by themselves.

    Two sentences may be one request ("How does he stand? Give me the joints.") or two ("What is
    this plant called? Has it any buds?"). Read together, the weaker of two is easily missed; read
    apart, one request becomes two.

    Args:
        whole: The reading of the text.
        parts: Its sentences and the reading of each.
    """
    known = {intent.tool for intent in whole.intents}
    added = [
        replace(intent, start=intent.start + sentence.start, end=intent.end + sentence.start)
        for sentence, reading in parts
        if reading.probability >= CERTAIN
        for intent in reading.intents
        if max((intent.shares.get(tool, 0) for tool in known), default=0) <= APART
    ]
    if not added:
        return whole
    intents = sorted([*whole.intents, *added], key=lambda intent: intent.end)
    served = {intent.end for intent in added}
    declined = tuple(each for each in whole.declined if each[0].end not in served)
    return replace(whole, intents=tuple(intents), declined=declined, unsure=())
