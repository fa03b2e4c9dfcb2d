"""How much a quantity says of what it stands for; of a range, the end that promises most."""

from __future__ import annotations

import math
from typing import Literal, get_args

from edgewright.agents.fl_coder.constraints.amounts.mentions import Mention

#: What a quantity stands for. Of clients: those that are hostile or honest, that take part in a
#: round or are absent. Of the whole training: rounds, seconds, bytes that a client sends in all
#: rounds, accuracy that is enough, errors that are bearable. Bytes that a client sends in a round,
#: and a model's bytes or parameters. The privacy budget, and FedProx's weight. Or nothing that
#: training holds.
Role = Literal[
    "none", "attackers", "honest", "participation", "absent", "rounds", "seconds", "bytes",
    "total_bytes", "memory", "parameters", "accuracy", "error", "epsilon", "delta", "proximal",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)

_BYTES_A_PARAMETER = 4
_TINY = 1e-9
#: Roles of quantities with a unit.
_MEASURED: dict[str, tuple[Role, ...]] = {
    "seconds": ("seconds",),
    "bytes": ("bytes", "total_bytes", "memory"),
    "ordinal": ("rounds",),
    "vague": ("attackers",),
}
_OF_SHARES: tuple[Role, ...] = (
    "attackers", "honest", "participation", "absent", "accuracy", "error", "epsilon", "delta",
    "proximal",
)  # fmt: skip
_OF_NUMBERS: tuple[Role, ...] = (
    "attackers", "honest", "participation", "absent", "rounds", "parameters", "accuracy", "error",
    "epsilon", "proximal",
)  # fmt: skip
#: What is limited from above, so that a lower bound is no limit.
_LIMITED: frozenset[Role] = frozenset(
    {
        "rounds", "seconds", "bytes", "total_bytes", "memory", "parameters", "epsilon", "delta",
        "participation",
    }
)  # fmt: skip


def possible(mention: Mention) -> tuple[Role, ...]:
    """Return what a quantity may stand for, besides nothing."""
    roles = _MEASURED.get(mention.measure)
    if roles is None:
        roles = _OF_SHARES if mention.is_share else _OF_NUMBERS
    return tuple(r for r in roles if not (mention.bound == "least" and r in _LIMITED))


def value_of(mention: Mention, role: Role) -> float:
    """Return the value of a quantity of training, in its base unit; shares are 0 to 1."""
    if role == "rounds":
        return max(1, math.floor(mention.high) - (mention.bound == "under"))
    if role == "parameters":
        return _BYTES_A_PARAMETER * mention.low
    if role in ("accuracy", "error"):
        share = mention.share[1] if mention.is_share else mention.high / 100
        return share if role == "accuracy" else 1 - share
    if role in ("epsilon", "delta"):
        return mention.share[0]
    return mention.low


def hostile_clients(mention: Mention, role: Role, clients: int) -> int | None:
    """Return how many clients may be hostile; None if the words leave it open.

    Args:
        mention: A number or a share of clients.
        role: Whether these are ``attackers`` or ``honest``.
        clients: Number of clients.
    """
    if role == "honest":
        if mention.is_share:
            return clients - math.floor(mention.share[0] * clients + _TINY)
        return clients - int(mention.low)
    if mention.measure == "vague" or mention.bound in ("least", "above"):
        return None
    if mention.measure == "number" and mention.high >= 1:
        most = int(mention.high) - (mention.bound == "under")
        share = most / mention.of if mention.of else 0.0
        return max(most, math.ceil(share * clients - _TINY))
    count = math.ceil(mention.share[1] * clients - _TINY)
    if mention.bound == "under" and 2 * count >= clients:
        return (clients - 1) // 2  # less than half
    return count


def clients_in_round(mention: Mention, role: Role, clients: int) -> int | None:
    """Return how many clients take part in a round; None if all of them do, or none.

    Args:
        mention: A number or a share of clients.
        role: Whether these are in ``participation`` or ``absent``.
        clients: Number of clients.
    """
    low, high = mention.share if mention.is_share else (mention.low, mention.high)
    if not mention.is_share:
        low, high = low / clients, high / clients
    share = low if role == "participation" else 1 - high
    count = max(1, math.ceil(share * clients - _TINY))
    return count if 0 < share < 1 and count < clients else None
