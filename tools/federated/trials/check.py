"""Checks of a candidate before training: source, quorum, privacy budget and a dry run."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from edgewright.tools.federated.app.privacy import rounds_within
from edgewright.tools.federated.records.candidate import Candidate, Private
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import ModelFacts
from edgewright.tools.federated.template.syntax import check_source
from edgewright.tools.federated.template.writer import settings_for, write_app
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument
from edgewright.tools.sandbox.watcher import SandboxedProcess
from edgewright.tools.storage.scratch import scratch_folder

_DRY_RUN_S = 90.0


@dataclass(frozen=True)
class CheckResult:
    """Result of the checks.

    Attributes:
        faults: Why the candidate cannot be trained; empty if it can.
        facts: Measurements of the dry run; None if it failed.
    """

    faults: tuple[Fault, ...]
    facts: ModelFacts | None = None


def check(
    candidate: Candidate, card: DataCard, *, limits: SandboxLimits | None = None
) -> CheckResult:
    """Check a candidate.

    Args:
        candidate: The candidate.
        card: Card of the training data.
        limits: Resource limits of a trial, including the maximum number of weights.

    Raises:
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    limits = limits or SandboxLimits()
    faults = [*check_source(candidate), *_check_settings(candidate, card)]
    if faults:
        return CheckResult(tuple(faults))
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
                message=f"'{strategy.name}' {refusal}; a round has {clients} clients",
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
                    f"exceeds epsilon {strategy.epsilon} at delta {strategy.delta}; increase "
                    "the noise or the budget",
                )
            )
    return faults


def _dry_run(candidate: Candidate, card: DataCard, limits: SandboxLimits) -> CheckResult:
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
        argument = program_argument(folder / "app", limits, parameters=limits.parameters)
        with sandbox.start(
            command("edgewright.tools.federated.sandboxed.dry_run", argument), policy
        ) as process:
            line = process.receive(policy.limits.time_s)
            process.wait(5)
            return _read(line, process)


def _read(line: str | None, process: SandboxedProcess) -> CheckResult:
    try:
        return CheckResult((), ModelFacts.model_validate(json.loads(line or "")["facts"]))
    except (ValidationError, ValueError, TypeError, KeyError, RecursionError):
        return CheckResult((fault_from(line, process),))
