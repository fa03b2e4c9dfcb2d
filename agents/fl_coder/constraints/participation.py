"""Reads how many of the clients take part in a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgewright.agents.fl_coder.constraints.amounts.reader import Amount
from edgewright.agents.fl_coder.constraints.amounts.values import clients_in_round
from edgewright.agents.fl_coder.constraints.hostile import of_hostile
from edgewright.agents.fl_coder.constraints.places import Place


@dataclass(frozen=True)
class StatedParticipation:
    """How many of the clients take part in a round.

    Attributes:
        clients: Number of clients in a round, at least one and fewer than all of them.
        share: Their share of all clients, above 0 and below 1.
        words: The words that state it.
        places: Where the numbers that were read stand.
    """

    clients: int
    share: float
    words: str
    places: tuple[Place, ...] = ()


def read_participation(amounts: Sequence[Amount], clients: int) -> StatedParticipation | None:
    """Read how many clients take part in a round. Return None if all of them do.

    Of a range the lower end counts, of several statements the smallest.

    Args:
        amounts: What the quantities of a text stand for.
        clients: Number of clients.
    """
    found: StatedParticipation | None = None
    for amount in amounts:
        if amount.role not in ("participation", "absent"):
            continue
        if of_hostile(amount.mention.place.clause):
            continue
        count = clients_in_round(amount.mention, amount.role, clients)
        if count is None:
            continue
        place = amount.mention.place
        words = place.sentence.strip(" .;!?")
        stated = StatedParticipation(count, count / clients, words, (place,))
        found = stated if found is None else _smaller(found, stated)
    return found


def _smaller(one: StatedParticipation, other: StatedParticipation) -> StatedParticipation:
    """Return the one with fewer clients, with the places of both."""
    fewer = min(one, other, key=lambda each: each.clients)
    return replace(fewer, places=(*one.places, *other.places))
