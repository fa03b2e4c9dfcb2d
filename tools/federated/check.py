"""Checks a candidate before it is trained: its source, its quorum, its budget, one batch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.federated.candidate import Candidate, Private
from edgewright.tools.federated.card import DataCard
from edgewright.tools.federated.privacy import rounds_within
from edgewright.tools.federated.sandbox.backends import find_sandbox
from edgewright.tools.federated.sandbox.confined import Confined
from edgewright.tools.federated.sandbox.policy import Policy, command
from edgewright.tools.federated.syntax import check_source
from edgewright.tools.federated.template import settings_for, write_app
from edgewright.tools.federated.trial import Fault, Limits, ModelFacts
from edgewright.tools.scratch import scratch_folder

_DRY_RUN_S = 90.0


@dataclass(frozen=True)
class Checked:
    """What the checks found.

    Attributes:
        faults: Why the candidate cannot be trained; empty if it can.
        facts: What the dry run measured; None if it did not come to its end.
    """

    faults: tuple[Fault, ...]
    facts: ModelFacts | None = None


def check(candidate: Candidate, card: DataCard, *, limits: Limits | None = None) -> Checked:
    """Check a candidate.

    Args:
        candidate: What is to be trained.
        card: On what.
        limits: What a trial may use; a model with more weights than it says is refused.

    Raises:
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    limits = limits or Limits()
    faults = [*check_source(candidate), *_check_settings(candidate, card)]
    if faults:
        return Checked(tuple(faults))
    return _dry_run(candidate, card, limits)


def _check_settings(candidate: Candidate, card: DataCard) -> list[Fault]:
    faults = []
    strategy = candidate.strategy
    clients = candidate.clients_per_round(len(card.clients))
    if refusal := strategy.refusal(clients):
        faults.append(
            Fault(
                code="quorum",
                slot="strategy",
                message=f"'{strategy.name}' {refusal}; a round has {clients}",
            )
        )
    if isinstance(strategy, Private):
        within = rounds_within(
            noise_multiplier=strategy.noise_multiplier,
            epsilon=strategy.epsilon,
            delta=strategy.delta,
            at_most=1,
        )
        if not within:
            faults.append(
                Fault(
                    code="privacy_budget",
                    slot="strategy",
                    message=f"one round with noise multiplier {strategy.noise_multiplier} already "
                    f"exceeds epsilon {strategy.epsilon} at delta {strategy.delta}; raise the "
                    "noise or the budget",
                )
            )
    return faults


def _dry_run(candidate: Candidate, card: DataCard, limits: Limits) -> Checked:
    sandbox = find_sandbox()
    with scratch_folder() as folder:
        scratch = folder / "out"
        scratch.mkdir()
        settings = settings_for(candidate, card, data=scratch, out=scratch, seed=0)
        write_app(candidate, settings, folder / "app")
        policy = Policy(
            scratch=scratch,
            read=(folder / "app",),
            limits=limits.model_copy(update={"time_s": min(limits.time_s, _DRY_RUN_S)}),
        )
        orders = orders_for(folder / "app", limits, parameters=limits.parameters)
        with sandbox.start(command("dry_run", orders), policy) as confined:
            said = confined.receive(policy.limits.time_s)
            confined.wait(5)
            return _read(said, confined)


def orders_for(app: Path, limits: Limits, **extra: object) -> str:
    """Return the one argument that a program inside the sandbox takes."""
    return json.dumps({"app": str(app), "limits": limits.model_dump(), "extra": extra})


def fault_from(said: str | None, confined: Confined) -> Fault:
    """Say why a sandboxed program gave no result.

    Args:
        said: Its last line, not to be trusted; None if there was none.
        confined: The program, after its end.
    """
    if confined.ended_by is not None:
        return Fault(code=confined.ended_by, message=_LIMITS[confined.ended_by])
    try:
        return Fault.model_validate(json.loads(said or "")["fault"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Fault(
            code="killed",
            message=f"the process ended with status {confined.status} and no result; its last "
            f"words were {confined.errors[-300:]!r}",
        )


_LIMITS: dict[str, str] = {
    "timeout": "the time limit passed; use a smaller model, fewer rounds or fewer local epochs",
    "memory": "the memory limit was reached; use a smaller model or a smaller batch",
    "disk": "more was written than the scratch folder may hold",
}


def _read(said: str | None, confined: Confined) -> Checked:
    try:
        return Checked((), ModelFacts.model_validate(json.loads(said or "")["facts"]))
    except (ValidationError, ValueError, TypeError, KeyError, RecursionError):
        return Checked((fault_from(said, confined),))
