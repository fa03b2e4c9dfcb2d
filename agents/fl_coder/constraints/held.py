"""Whether a candidate holds what the person said, whichever coder made it."""

from __future__ import annotations

from edgewright.agents.fl_coder.constraints.promises import Promises
from edgewright.tools.federated.records.candidate import (
    ROBUST,
    Candidate,
    Int8,
    Median,
    Private,
    TopK,
)
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.trial import ModelFacts
from edgewright.tools.sandbox.faults import Fault


def broken(
    candidate: Candidate, promises: Promises, clients: int, facts: ModelFacts | None
) -> tuple[Fault, ...]:
    """Return a fault for each promise that a candidate does not hold.

    Args:
        candidate: The candidate.
        promises: What the person said.
        clients: Number of clients of the run.
        facts: Size of its model; None if it is not known yet.
    """
    found = [*_broken_limits(candidate, promises, facts), *_broken_privacy(candidate, promises)]
    attackers = promises.attackers
    in_round = candidate.clients_per_round(clients)
    hidden = isinstance(candidate.strategy, Private)
    if attackers is not None and in_round >= 3 and not hidden:
        strategy = candidate.strategy
        outvoted = isinstance(strategy, Median) or strategy.tolerates(in_round) >= attackers.count
        possible = 2 * attackers.count < in_round
        if strategy.name not in ROBUST or (possible and not outvoted):
            found.append(_fault("strategy", f"it must tolerate {attackers.count} hostile clients"))
    stated = promises.participation
    if stated is not None and in_round > stated.clients:
        found.append(_fault("participation", f"a round may have {stated.clients} clients"))
    wanted = promises.proximal
    if wanted is not None and candidate.proximal != wanted and not candidate.private:
        found.append(_fault("proximal", f"FedProx's weight must be {wanted:g}"))
    return tuple(found)


def _broken_limits(
    candidate: Candidate, promises: Promises, facts: ModelFacts | None
) -> list[Fault]:
    found = []
    rounds = promises.limits.get("rounds")
    if rounds is not None and candidate.rounds > rounds.value:
        found.append(_fault("rounds", f"at most {rounds.value:g} rounds are allowed"))
    sent, memory = promises.limits.get("bytes"), promises.limits.get("memory")
    total = promises.limits.get("total_bytes")
    if facts is None:
        return found
    in_all = _update_bytes(candidate, facts) * candidate.rounds
    if total is not None and in_all > total.value:
        found.append(
            _fault(
                "compression",
                f"{candidate.rounds} updates take {in_all} bytes, and at most {total.value:.0f} "
                "are allowed in all",
            )
        )
    if memory is not None and facts.weight_bytes > memory.value:
        found.append(
            _fault(
                "model",
                f"its weights take {facts.weight_bytes} bytes, and devices have {memory.value:.0f}",
            )
        )
    if sent is not None and _update_bytes(candidate, facts) > sent.value:
        found.append(
            _fault(
                "compression",
                f"an update takes {_update_bytes(candidate, facts)} bytes, and at most "
                f"{sent.value:.0f} are allowed",
            )
        )
    return found


def _update_bytes(candidate: Candidate, facts: ModelFacts) -> int:
    """Return the bytes of an update, without the few that scales take."""
    sent = facts.weight_bytes * candidate.strategy.vectors
    if isinstance(candidate.compression, Int8):
        return sent // 4
    if isinstance(candidate.compression, TopK):
        return int(sent * 2 * candidate.compression.share)
    return sent


def _broken_privacy(candidate: Candidate, promises: Promises) -> list[Fault]:
    privacy = promises.privacy
    if privacy is None:
        return []
    strategy, own = candidate.strategy, candidate.local_privacy
    budgets = [strategy] if isinstance(strategy, Private) else []
    enough: list[Private | DpSgd] = list(budgets)
    if isinstance(own, DpSgd) and privacy.unit in ("sample", own.unit):
        enough.append(own)  # what protects persons protects their samples
    held = [
        each for each in enough if each.epsilon <= privacy.epsilon and each.delta <= privacy.delta
    ]
    if held:
        return []
    slot = "local_privacy" if privacy.unit == "sample" else "strategy"
    return [
        _fault(
            slot,
            f"it must hold differential privacy per {privacy.unit} with epsilon "
            f"{privacy.epsilon:g} and delta {privacy.delta:g}",
        )
    ]


def _fault(slot: str, message: str) -> Fault:
    return Fault(code="promise", slot=slot, message=f"{message}, as the person said")
