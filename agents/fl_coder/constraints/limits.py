"""Reads limits on training from a person's words: rounds, time, bytes, accuracy and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edgewright.agents.fl_coder.constraints.amounts.features import encoded
from edgewright.agents.fl_coder.constraints.amounts.reader import Amount, read_amounts
from edgewright.agents.fl_coder.constraints.amounts.values import Role, value_of
from edgewright.agents.fl_coder.constraints.places import Place, sentences

Quantity = Literal["rounds", "seconds", "bytes", "total_bytes", "accuracy", "memory"]

#: The limit that a quantity states.
_LIMITS: dict[Role, Quantity] = {
    "rounds": "rounds",
    "seconds": "seconds",
    "bytes": "bytes",
    "total_bytes": "total_bytes",
    "memory": "memory",
    "parameters": "memory",
    "accuracy": "accuracy",
    "error": "accuracy",
}


@dataclass(frozen=True)
class StatedLimit:
    """A limit that a person stated.

    Attributes:
        quantity: ``rounds``; ``seconds`` of training; ``bytes`` that a client sends in a round;
            ``total_bytes`` that it sends in all rounds; ``accuracy`` that is enough, 0 to 1;
            ``memory`` of a device, in bytes.
        value: The limit; of several values, the strictest.
        words: The words that state it.
        places: Where each of its values stands.
    """

    quantity: Quantity
    value: float
    words: str
    places: tuple[Place, ...] = ()


def read_limits(text: str) -> tuple[StatedLimit, ...]:
    """Read the limits in a text, each quantity at most once."""
    return limits_of(read_amounts(encoded(sentences(text)), 0))


def limits_of(amounts: Sequence[Amount]) -> tuple[StatedLimit, ...]:
    """Return the limits that quantities state, each at most once."""
    found: dict[Quantity, StatedLimit] = {}
    for amount in amounts:
        quantity = _LIMITS.get(amount.role)
        value = value_of(amount.mention, amount.role)
        if quantity is None or value <= 0 or (quantity == "accuracy" and value > 1):
            continue
        place = amount.mention.place
        limit = StatedLimit(quantity, value, place.sentence.strip(" .;!?"), (place,))
        found[quantity] = _stricter(limit, found.get(quantity))
    return tuple(found.values())


def _stricter(limit: StatedLimit, earlier: StatedLimit | None) -> StatedLimit:
    """Return the stricter of two limits, with the places of both."""
    if earlier is None:
        return limit
    sign = -1 if limit.quantity == "accuracy" else 1
    kept = limit if sign * limit.value < sign * earlier.value else earlier
    return replace(kept, places=(*earlier.places, *limit.places))
