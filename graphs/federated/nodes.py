"""The steps of a run. Each takes the state and returns what changes in it."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from edgewright.agents.fl_coder.protocol import Attempt, Proposal, TrainingProblem, same
from edgewright.graphs.federated import approval
from edgewright.graphs.federated.context import TrainingContext, run_folder, services_of
from edgewright.graphs.federated.decisions import best_of, gave_up, stop_reason
from edgewright.graphs.federated.events import (
    CandidateChecked,
    Decided,
    Prepared,
    Proposed,
    Registered,
    RoundScored,
    TrialEnded,
    TrialStarted,
    emit,
)
from edgewright.graphs.federated.state import FederatedState, TrainSettings
from edgewright.graphs.federated.summary import report_of
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES, TrialRequest
from edgewright.tools.federated.trials.prepare import DataRequest

Update = dict[str, Any]


async def prepare(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Make sure that the run can be done at all, and prepare its data."""
    purpose = state.get("purpose", "").strip()
    if not purpose:
        raise InputError("say what the model is to do", code="request_empty")
    settings = TrainSettings.model_validate(state.get("settings") or {})
    if settings.approval == "auto" and settings.engine not in SANDBOXED_ENGINES:
        raise InputError(
            f"the engine {settings.engine!r} runs generated code without the sandbox, so a person "
            "has to approve it: use '--approve ask', or the in-process engine",
            code="approval_needed",
        )
    run = state.get("run") or uuid.uuid4().hex[:12]
    request = DataRequest.model_validate(state.get("data") or {})
    backend = (await _services(runtime)).backend
    card = await asyncio.to_thread(backend.prepare, request, run_folder(run))
    emit(runtime, Prepared(run=run, card=card))
    return {
        "purpose": purpose,
        "settings": settings.model_dump(mode="json"),
        "data": request.model_dump(mode="json"),
        "run": run,
        "card": card.model_dump(mode="json"),
        "stop": None,
    }


async def propose(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Have the coder propose a candidate; nothing new ends the run."""
    coder = (await _services(runtime)).coder
    problem = TrainingProblem(
        purpose=state["purpose"],
        card=_card(state),
        limits=_settings(state).limits,
        remarks=tuple(state.get("remarks", [])),
    )
    attempts = _attempts(state)
    proposal = await asyncio.to_thread(coder.propose, problem, attempts)
    old = any(same(proposal.candidate, each.proposal.candidate) for each in attempts)
    if not old:
        emit(runtime, Proposed(number=_number(attempts), proposal=proposal))
    return {
        "proposal": proposal.model_dump(mode="json"),
        "stop": "unchanged" if old else None,
    }


def after_propose(state: FederatedState) -> Literal["check", "register"]:
    """Go on with something new, or end the run with what there is."""
    return "register" if state.get("stop") else "check"


async def check(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Check the candidate; what is wrong with it goes back to the coder."""
    backend = (await _services(runtime)).backend
    proposal = _proposal(state)
    checked = await asyncio.to_thread(
        backend.check, proposal.candidate, _card(state), _settings(state).limits
    )
    attempts = _attempts(state)
    number = _number(attempts)
    emit(runtime, CandidateChecked(number=number, faults=checked.faults, facts=checked.facts))
    if not checked.faults:
        return {"facts": checked.facts.model_dump(mode="json") if checked.facts else None}
    attempt = Attempt(proposal=proposal, faults=checked.faults)
    stop = "no_candidate" if gave_up([*attempts, attempt]) else None
    return {"facts": None, "attempts": [attempt.model_dump(mode="json")], "stop": stop}


def after_check(state: FederatedState) -> Literal["approve", "propose", "register"]:
    """Ask for approval, for a repair, or end the run when there were enough of those."""
    if state.get("stop"):
        return "register"
    attempts = state.get("attempts", [])
    refused = bool(attempts) and attempts[-1]["proposal"] == state["proposal"]
    return "propose" if refused else "approve"


async def approve(
    state: FederatedState, runtime: Runtime[TrainingContext]
) -> Command[Literal["train", "check", "propose", "register"]]:
    """Wait for a person, unless the engine is sandboxed and nobody wants to be asked."""
    del runtime
    if _settings(state).approval == "auto":
        return Command(goto="train")
    proposal = _proposal(state)
    answer = approval.read(interrupt([approval.ask(proposal, state.get("facts"))]))
    if answer.type == "ignore":
        return Command(goto="register", update={"stop": "declined"})
    if answer.type == "response":
        return Command(goto="propose", update={"remarks": [answer.words]})
    if answer.type == "edit" and answer.candidate != proposal.candidate:
        edited = Proposal(candidate=answer.candidate, choices=proposal.choices, coder="person")
        return Command(goto="check", update={"proposal": edited.model_dump(mode="json")})
    return Command(goto="train")


async def train(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Train the candidate. A run that was broken off goes on from the last finished round."""
    backend = (await _services(runtime)).backend
    settings, proposal = _settings(state), _proposal(state)
    number = _number(_attempts(state))
    request = TrialRequest(
        number=number,
        candidate=proposal.candidate,
        engine=settings.engine,
        seed=settings.seed,
        limits=settings.limits,
        link=settings.link,
        target=settings.target,
    )
    emit(runtime, TrialStarted(number=number, rounds=proposal.candidate.rounds))
    given_up = threading.Event()

    def tell(detail: dict[str, Any]) -> None:
        if given_up.is_set():
            raise _GivenUpError
        emit(runtime, RoundScored(number=number, detail=detail))

    try:
        result = await asyncio.to_thread(backend.train, run_folder(_run(state)), request, tell)
    except asyncio.CancelledError:
        given_up.set()
        raise
    attempt = Attempt(proposal=proposal, result=result)
    return {"attempts": [attempt.model_dump(mode="json")]}


async def score(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Tell what the host measured of the trial."""
    result = _attempts(state)[-1].result
    assert result is not None
    emit(runtime, TrialEnded(result=result))
    return {}


async def decide(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Decide whether another trial is worth its time."""
    attempts = _attempts(state)
    stop = stop_reason(attempts, _settings(state), _card(state).validation)
    best = best_of(attempts)
    number = best.result.number if best and best.result else 0
    emit(runtime, Decided(stop=stop, best=number))
    return {"stop": stop}


def after_decide(state: FederatedState) -> Literal["propose", "register"]:
    """Go on, or end the run."""
    return "register" if state.get("stop") else "propose"


async def register(state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
    """Score the best trial on the test split, once; write the artefacts, install the model."""
    backend = (await _services(runtime)).backend
    run = run_folder(_run(state))
    attempts = _attempts(state)
    best = best_of(attempts)
    test = None
    if best is not None and best.result is not None:
        test = await asyncio.to_thread(backend.test, run, best.result.number)
    report = report_of(
        run=_run(state),
        purpose=state["purpose"],
        card=_card(state),
        settings=_settings(state),
        attempts=attempts,
        stop=state.get("stop") or "unchanged",
        test=test,
    )
    report = await asyncio.to_thread(backend.publish, run, report)
    emit(runtime, Registered(report=report))
    return {"report": report.model_dump(mode="json")}


class _GivenUpError(Exception):
    """Nobody waits for a training any more; ends it from within its progress report."""


async def _services(runtime: Runtime[TrainingContext]) -> Any:
    # The first call imports the engine.
    return await asyncio.to_thread(services_of, runtime)


def _run(state: FederatedState) -> str:
    run = state["run"]
    assert run is not None
    return run


def _card(state: FederatedState) -> DataCard:
    return DataCard.model_validate(state["card"])


def _settings(state: FederatedState) -> TrainSettings:
    return TrainSettings.model_validate(state["settings"])


def _proposal(state: FederatedState) -> Proposal:
    return Proposal.model_validate(state["proposal"])


def _attempts(state: FederatedState) -> list[Attempt]:
    return [Attempt.model_validate(each) for each in state.get("attempts", [])]


def _number(attempts: list[Attempt]) -> int:
    """Return the number of the next training."""
    return 1 + sum(attempt.result is not None for attempt in attempts)
