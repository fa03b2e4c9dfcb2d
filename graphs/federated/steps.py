"""The steps of a run. Each takes the state and returns its changes."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import Promises
from edgewright.agents.fl_coder.embedded.remarks import read_remarks
from edgewright.agents.fl_coder.promised import with_statements
from edgewright.agents.fl_coder.protocol import Attempt, Proposal, TrainingProblem, same
from edgewright.graphs.federated import approval
from edgewright.graphs.federated.context import TrainingContext, TrainingServices, run_folder
from edgewright.graphs.federated.data import data_request
from edgewright.graphs.federated.decisions import (
    best_of,
    finished,
    gave_up,
    stop_reason,
    time_left_s,
    too_long,
)
from edgewright.graphs.federated.events import (
    CandidateChecked,
    Decided,
    Prepared,
    Proposed,
    Registered,
    TrialEnded,
    TrialStarted,
    emit,
)
from edgewright.graphs.federated.said import as_said
from edgewright.graphs.federated.state import FederatedState, StopReason, TrainSettings
from edgewright.graphs.federated.summary import report_of
from edgewright.graphs.federated.validation import validated
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.intent import RunIntent, write_intent
from edgewright.tools.federated.records.progress import TrialEvent
from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES, CheckedFacts, TrialRequest
from edgewright.tools.federated.trials.prepare import DataRequest, load_reading
from edgewright.tools.settings import ChatModelSettings

Update = dict[str, Any]

#: Returns services for the settings of a chat model; see ``ServicePool.get``.
OpenShared = Callable[[ChatModelSettings], Awaitable[TrainingServices]]


class Steps:
    """The steps of the graph.

    Args:
        open_shared: Returns services for runs whose context brings none.
    """

    def __init__(self, open_shared: OpenShared) -> None:
        self._open_shared = open_shared

    async def prepare(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Check that the run is possible, and prepare its data."""
        purpose = state.get("purpose", "").strip()
        if not purpose:
            raise InputError(
                "the purpose is empty; say what the model is for", code="request_empty"
            )
        settings = _settings(state, runtime)
        settings = as_said(settings, purpose, fixed=settings.model_fields_set)
        run = state.get("run") or uuid.uuid4().hex[:12]
        data = state.get("data") or {}
        if not data.get("source"):
            # Nothing is trained on data that nobody named.
            read = await asyncio.to_thread(data_request, purpose)
            data = {**read.model_dump(mode="json", exclude_unset=True), **data}
        request = validated(DataRequest, data)
        intent = RunIntent(purpose=purpose, data=request.source, clients=request.clients)
        await asyncio.to_thread(write_intent, run_folder(run), intent)
        backend = (await self._services(runtime)).backend
        card = await asyncio.to_thread(backend.prepare, request, run_folder(run))
        reading = await asyncio.to_thread(load_reading, run_folder(run))
        emit(runtime, Prepared(run=run, card=card, reading=reading))
        return {
            "purpose": purpose,
            "settings": settings.model_dump(mode="json"),
            "data": request.model_dump(mode="json"),
            "run": run,
            "card": card.model_dump(mode="json"),
            "stop": None,
        }

    async def propose(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Have the coder propose a candidate; a repeated one ends the run."""
        coder = (await self._services(runtime)).coder
        settings, attempts = _settings(state, runtime), _attempts(state)
        problem = _problem(state, settings)
        proposal = await asyncio.to_thread(coder.propose, problem, attempts)
        promises = await asyncio.to_thread(_promises, problem)
        proposal = with_statements(proposal, promises, problem.card)
        repeated = any(same(proposal.candidate, each.proposal.candidate) for each in attempts)
        stop: StopReason | None = "unchanged" if repeated else None
        if stop is None and too_long(proposal.candidate, attempts, settings):
            stop = "time"
        if stop is None:
            emit(runtime, Proposed(number=_number(attempts), proposal=proposal))
        return {"proposal": proposal.model_dump(mode="json"), "stop": stop}

    async def check(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Check the candidate; its faults go back to the coder."""
        backend = (await self._services(runtime)).backend
        proposal, card, settings = _proposal(state), _card(state), _settings(state, runtime)
        checked = await asyncio.to_thread(backend.check, proposal.candidate, card, settings.limits)
        attempts = _attempts(state)
        number = _number(attempts)
        facts = checked.facts.model if checked.facts else None
        faults = checked.faults
        if proposal.coder != "person":  # who may change their mind
            promises = await asyncio.to_thread(_promises, _problem(state, settings))
            faults = (*faults, *broken(proposal.candidate, promises, len(card.clients), facts))
        emit(runtime, CandidateChecked(number=number, faults=faults, facts=facts))
        if checked.facts is not None and not faults:
            return {"checked": checked.facts.model_dump(mode="json")}
        attempt = Attempt(proposal=proposal, faults=faults)
        stop = "no_candidate" if gave_up([*attempts, attempt]) else None
        return {"checked": None, "attempts": [attempt.model_dump(mode="json")], "stop": stop}

    async def approve(
        self, state: FederatedState, runtime: Runtime[TrainingContext]
    ) -> Command[Literal["train", "check", "propose", "register"]]:
        """Wait for a person's approval, unless approval is automatic."""
        if _settings(state, runtime).approval == "auto":
            return Command(goto="train")
        proposal = _proposal(state)
        answer = approval.read(interrupt([approval.ask(proposal, _checked_facts(state).model)]))
        if answer.type == "ignore":
            return Command(goto="register", update={"stop": "declined"})
        if answer.type == "response":
            settings = as_said(_settings(state, runtime), answer.words)
            update = {"remarks": [answer.words], "settings": settings.model_dump(mode="json")}
            return Command(goto="propose", update=update)
        if answer.type == "edit" and answer.candidate != proposal.candidate:
            edited = Proposal(candidate=answer.candidate, choices=proposal.choices, coder="person")
            return Command(goto="check", update={"proposal": edited.model_dump(mode="json")})
        return Command(goto="train")

    async def train(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Train the candidate. An interrupted run resumes after the last finished round."""
        backend = (await self._services(runtime)).backend
        settings, proposal = _settings(state, runtime), _proposal(state)
        number = _number(_attempts(state))
        request = TrialRequest(
            number=number,
            candidate=proposal.candidate,
            engine=settings.engine,
            seed=settings.seed,
            limits=settings.limits,
            link=settings.link,
            target=settings.target,
            checked=_checked_facts(state),
        )
        emit(runtime, TrialStarted(number=number, rounds=proposal.candidate.rounds))
        abandoned = threading.Event()

        def on_event(event: TrialEvent) -> None:
            if abandoned.is_set():
                raise _AbandonedError
            emit(runtime, event)

        training = asyncio.create_task(
            asyncio.to_thread(backend.train, run_folder(_run(state)), request, on_event)
        )
        try:
            result = await asyncio.shield(training)
        except asyncio.CancelledError:
            # Whoever sees that the run has stopped may resume it, or end the process.
            abandoned.set()
            await asyncio.gather(training, return_exceptions=True)
            raise
        attempt = Attempt(proposal=proposal, result=result)
        return {"attempts": [attempt.model_dump(mode="json")]}

    async def score(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Report what the host measured of the trial."""
        result = _attempts(state)[-1].result
        assert result is not None
        emit(runtime, TrialEnded(result=result))
        return {}

    async def decide(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Decide whether to begin another trial."""
        attempts = _attempts(state)
        stop = stop_reason(attempts, _settings(state, runtime), _card(state))
        best = best_of(attempts)
        number = best.result.number if best and best.result else 0
        emit(runtime, Decided(stop=stop, best=number))
        return {"stop": stop, "settings": _settings(state, runtime).model_dump(mode="json")}

    async def register(self, state: FederatedState, runtime: Runtime[TrainingContext]) -> Update:
        """Score the best trial on the test split, write the artefacts and install the model."""
        backend = (await self._services(runtime)).backend
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
            settings=_settings(state, runtime),
            attempts=attempts,
            stop=state.get("stop") or "unchanged",
            test=test,
        )
        replace = _settings(state, runtime).replace
        report = await asyncio.to_thread(backend.publish, run, report, replace=replace)
        emit(runtime, Registered(report=report))
        return {"report": report.model_dump(mode="json")}

    async def _services(self, runtime: Runtime[TrainingContext]) -> TrainingServices:
        context = runtime.context or TrainingContext()
        return context.services or await self._open_shared(context.chat)


def after_propose(state: FederatedState) -> Literal["check", "register"]:
    """Check a new proposal, or end the run."""
    return "register" if state.get("stop") else "check"


def after_check(state: FederatedState) -> Literal["approve", "propose", "register"]:
    """Ask for approval or for a repair, or end the run if no repairs are left."""
    if state.get("stop"):
        return "register"
    attempts = state.get("attempts", [])
    refused = bool(attempts) and attempts[-1]["proposal"] == state["proposal"]
    return "propose" if refused else "approve"


def after_decide(state: FederatedState) -> Literal["propose", "register"]:
    """Propose another candidate, or end the run."""
    return "register" if state.get("stop") else "propose"


class _AbandonedError(Exception):
    """Stops a trial whose caller was cancelled; raised from the trial's event callback."""


def _problem(state: FederatedState, settings: TrainSettings) -> TrainingProblem:
    attempts = _attempts(state)
    return TrainingProblem(
        purpose=state["purpose"],
        card=_card(state),
        limits=settings.limits,
        remarks=tuple(state.get("remarks", [])),
        time_left_s=time_left_s(attempts, settings) if finished(attempts) else None,
    )


def _promises(problem: TrainingProblem) -> Promises:
    return read_remarks(problem).promises


def _run(state: FederatedState) -> str:
    run = state["run"]
    assert run is not None
    return run


def _card(state: FederatedState) -> DataCard:
    return DataCard.model_validate(state["card"])


def _settings(state: FederatedState, runtime: Runtime[TrainingContext]) -> TrainSettings:
    """Return the settings, with the changes of a resumed run."""
    changes = runtime.context.changes if runtime.context else {}
    settings = validated(TrainSettings, {**(state.get("settings") or {}), **changes})
    if settings.approval == "auto" and settings.engine not in SANDBOXED_ENGINES:
        raise InputError(
            f"the engine {settings.engine!r} runs generated code without the sandbox, so a "
            "person has to approve it; use '--approve ask', or the in-process engine",
            code="approval_needed",
        )
    return settings


def _proposal(state: FederatedState) -> Proposal:
    return Proposal.model_validate(state["proposal"])


def _checked_facts(state: FederatedState) -> CheckedFacts:
    """Return the facts of the proposal, which passed its checks."""
    return CheckedFacts.model_validate(state["checked"])


def _attempts(state: FederatedState) -> list[Attempt]:
    return [Attempt.model_validate(each) for each in state.get("attempts", [])]


def _number(attempts: list[Attempt]) -> int:
    """Return the number of the next trial."""
    return 1 + sum(attempt.result is not None for attempt in attempts)
