"""Checks of a candidate before training: source, quorum, privacy budget and a dry run.

The dry run of one batch takes seconds, so its facts can be handed on; they are tied to what was
checked. The other checks take milliseconds and are always made.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from edgewright.tools.federated.app.privacy import budgets, rounds_within
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.trial import CheckedFacts, ModelFacts
from edgewright.tools.federated.template.syntax import check_source
from edgewright.tools.federated.template.writer import settings_for, write_app
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument, read_answer
from edgewright.tools.sandbox.watcher import SandboxedProcess
from edgewright.tools.storage.scratch import scratch_folder

_DRY_RUN_S = 90.0


@dataclass(frozen=True)
class CheckResult:
    """Result of the checks.

    Attributes:
        faults: Why the candidate cannot be trained; empty if it can.
        facts: What the dry run measured; None if the candidate cannot be trained.
    """

    faults: tuple[Fault, ...]
    facts: CheckedFacts | None = None


def check(
    candidate: Candidate,
    card: DataCard,
    *,
    limits: SandboxLimits | None = None,
    earlier: CheckedFacts | None = None,
) -> CheckResult:
    """Check a candidate.

    Args:
        candidate: The candidate to train.
        card: The data to train it on.
        limits: What a trial may use; a model with more weights than allowed is refused.
        earlier: Facts from an earlier check; they replace the dry run if they belong to the same
            candidate, data and limits.

    Raises:
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    limits = limits or SandboxLimits()
    faults = [*check_source(candidate), *_check_settings(candidate, card)]
    if faults:
        return CheckResult(tuple(faults))
    sha256 = _digest(candidate, card, limits)
    if earlier is not None and earlier.sha256 == sha256:
        return CheckResult((), earlier)
    outcome = _dry_run(candidate, card, limits)
    if isinstance(outcome, Fault):
        return CheckResult((outcome,))
    return CheckResult((), CheckedFacts(sha256=sha256, model=outcome))


def _digest(*checked: BaseModel) -> str:
    values = [each.model_dump(mode="json") for each in checked]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


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
    if conflict := candidate.conflict:
        faults.append(
            Fault(code="conflict", slot="strategy", message=f"'{strategy.name}' {conflict}")
        )
    own = candidate.local_privacy
    if isinstance(own, DpSgd) and own.unit == "person" and not card.persons:
        faults.append(
            Fault(
                code="promise",
                slot="local_privacy",
                message="the data do not say whose each sample is; protect whole clients with the "
                "strategy 'private', or add 'persons' to an .npz file",
            )
        )
    faults += [
        Fault(
            code="privacy_budget",
            slot="strategy" if budget is strategy else "local_privacy",
            message=f"one round with noise multiplier {budget.noise_multiplier} already exceeds "
            f"epsilon {budget.epsilon} at delta {budget.delta}; increase the noise or the budget",
        )
        for budget in budgets(strategy, candidate.local_privacy)
        if not rounds_within(budget, at_most=1)
    ]
    return faults


def _dry_run(candidate: Candidate, card: DataCard, limits: SandboxLimits) -> ModelFacts | Fault:
    sandbox = find_sandbox()
    with scratch_folder() as folder:
        scratch = folder / "out"
        scratch.mkdir()
        settings = settings_for(candidate, card, data=scratch, out=scratch, seed=0)
        write_app(candidate, settings, folder / "app")
        policy = Policy(
            scratch=scratch,
            read=(folder / "app", *weights_files()),
            limits=limits.model_copy(update={"time_s": min(limits.time_s, _DRY_RUN_S)}),
        )
        argument = program_argument(folder / "app", limits, parameters=limits.parameters)
        with sandbox.start(
            command("edgewright.tools.federated.sandboxed.dry_run", argument), policy
        ) as process:
            line = process.receive(policy.limits.time_s)
            process.wait(5)
            return _read(line, process)


def _read(line: str | None, process: SandboxedProcess) -> ModelFacts | Fault:
    try:
        return ModelFacts.model_validate(read_answer(line).get("facts"))
    except ValidationError:
        return fault_from(line, process)
