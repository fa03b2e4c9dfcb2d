"""The steps of a turn. Each takes the state and returns its changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage
from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, Send

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest, Turn, images_of
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.costs import spent
from edgewright.graphs.assistant.events import (
    Answered,
    Offloaded,
    Planned,
    TaskFinished,
    TaskStarted,
    TrainingProgress,
    Understood,
    emit,
)
from edgewright.graphs.assistant.failures import failed, lacking, worth_retrying
from edgewright.graphs.assistant.history import outdated
from edgewright.graphs.assistant.planning import plan_request
from edgewright.graphs.assistant.state import AssistantState, Status, TaskState
from edgewright.graphs.assistant.waves import ready_tasks, settled_tasks
from edgewright.graphs.services.inputs import CallInputs, inputs_of, stored_images
from edgewright.graphs.services.services import Services
from edgewright.graphs.services.turns import store_turn
from edgewright.tools.cards.registry import TRAINING_CARD
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.contracts.invocation import PlannedTask
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.settings import Settings
from edgewright.tools.tracing import span

if TYPE_CHECKING:
    from edgewright.graphs.federated.events import Event as FederatedEvent

Update = dict[str, Any]

#: Returns services for settings; see ``ServicePool.get``.
OpenShared = Callable[[Settings], Awaitable[Services]]


class Steps:
    """The steps of the graph.

    Args:
        open_shared: Returns services for runs whose context brings none.
    """

    def __init__(self, open_shared: OpenShared) -> None:
        self._open_shared = open_shared

    async def understand(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Update:
        """Read the request and its images, and clear the state of the last turn.

        ``intake.py`` has reduced them to words and references.
        """
        request = str(state["messages"][-1].text)
        images = [ImageRef.model_validate(each) for each in state.get("attachments") or []]
        names = [image.name or image.uri for image in images]
        emit(runtime, Understood(request=request, images=names))
        earlier = () if state.get("history") else _context(runtime).earlier
        return {
            "messages": outdated(state["messages"]),
            "history": [turn.model_dump(mode="json") for turn in earlier],
            "request": request,
            "attachments": [],
            "images": [image.model_dump(mode="json") for image in images],
            "decisions": Overwrite({}),
            "results": Overwrite({}),
            "claims": [],
        }

    async def plan(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Update:
        """Turn the request into tasks. The plan is frozen from here on."""
        services = await self._services(runtime)
        request = await plan_request(
            services,
            state["request"],
            images=[ImageRef.model_validate(each) for each in state["images"]],
            history=[Turn.model_validate(each) for each in state.get("history", [])],
        )
        with span("plan"):
            plan = await asyncio.to_thread(services.planner.plan, request)
        emit(runtime, Planned(plan=plan))
        status: Status = "planned"
        if plan.needs:
            status = "needs_input"
        elif not plan.tasks:
            status = "nothing_to_do"
        return {"plan": plan.as_json(), "status": status}

    async def train(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Update:
        """Carry out the ready tasks that train a model; the next turn can use the new card."""
        from edgewright.graphs.assistant import training

        services = await self._services(runtime)
        trainer = _context(runtime).trainer or training.LocalTrainer(services.chat)
        results: dict[str, TaskResult] = {}
        for task in _ready_trainings(state):
            emit(runtime, TaskStarted(task_id=task.id, tool=task.tool, arm="federated"))
            started = time.perf_counter()

            def on_event(step: FederatedEvent, task_id: str = task.id) -> None:
                emit(runtime, TrainingProgress(task_id=task_id, step=step))

            result = await training.train_task(task, state["request"], trainer, on_event)
            emit(runtime, _finished(result, ms=(time.perf_counter() - started) * 1000))
            results[task.id] = result
        return {"results": _dumps(results)}

    async def offload(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Update:
        """Choose an arm for each ready task, under the current state of the link.

        Runs before each wave of tasks. The choices are made one after another, each with the
        earlier ones in mind, since the tasks of a wave share device, link and edge server. A task
        that depends on a failed one, whose condition does not hold, or for which the node has no
        arm, gets its result here without being run.
        """
        services = await self._services(runtime)
        plan = Plan.model_validate(state["plan"])
        results = _results(state)
        decisions: dict[str, Any] = {}
        ahead: list[PlannedTask] = []
        new = settled_tasks(plan, results)
        while ready := [
            task
            for task in ready_tasks(plan, results | new)
            if task.tool != TRAINING_CARD and task.id not in decisions
        ]:
            for task in ready:
                outcome = await self._decide(task, services, runtime, ahead)
                if isinstance(outcome, Decision):
                    decisions[task.id] = outcome.model_dump(mode="json")
                else:
                    new[task.id] = outcome
            new |= settled_tasks(plan, results | new)
        for result in new.values():
            emit(runtime, _finished(result, ms=0.0))
        return {"decisions": decisions, "results": _dumps(new)}

    async def execute(self, state: TaskState, runtime: Runtime[AssistantContext]) -> Update:
        """Have the node run one task with the chosen arm; the node handles any fallback."""
        services = await self._services(runtime)
        task = Task.model_validate(state["task"])
        decision = Decision.model_validate(state["decision"])
        emit(runtime, TaskStarted(task_id=task.id, tool=task.tool, arm=decision.arm.label))
        started = time.perf_counter()
        inputs = _inputs(task, services, runtime)
        options = inputs.options.model_copy(update={"arm": decision.arm})
        with span(f"task {task.tool}", {"edgewright.arm": decision.arm.label}):
            response = await services.node.invoke(task.tool, options, await inputs.data())
        result = TaskResult(
            task_id=task.id,
            tool=task.tool,
            status=response.status,
            output=await stored_images(response.output, services.images),
            report=response.report,
            error=response.error,
        )
        emit(runtime, _finished(result, ms=(time.perf_counter() - started) * 1000))
        return {"results": _dumps({task.id: result})}

    async def record_failure(
        self, state: TaskState, error: NodeError, runtime: Runtime[AssistantContext]
    ) -> Command[Literal["offload"]]:
        """Turn the failure of one branch into a result, so that the others continue."""
        result = failed(Task.model_validate(state["task"]), error.error)
        emit(runtime, _finished(result, ms=0.0))
        return Command(goto="offload", update={"results": _dumps({result.task_id: result})})

    async def record_outage(
        self, state: AssistantState, error: NodeError, runtime: Runtime[AssistantContext]
    ) -> Command[Literal["answer"]]:
        """Give every remaining task the same result when the node cannot be reached."""
        tasks = Plan.model_validate(state["plan"]).tasks
        remaining = {
            task.id: failed(task, error.error) for task in tasks if task.id not in state["results"]
        }
        for result in remaining.values():
            emit(runtime, _finished(result, ms=0.0))
        return Command(goto="answer", update={"results": _dumps(remaining)})

    async def answer(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Update:
        """Answer the request from the results alone."""
        services = await self._services(runtime)
        plan = Plan.model_validate(state["plan"])
        results = _results(state)
        ordered = [results[task.id] for task in plan.tasks if task.id in results]
        answer = await asyncio.to_thread(services.responder.answer, _request(state), plan, ordered)
        if state["status"] == "needs_input":
            results = {task.id: lacking(task, plan.needs) for task in plan.tasks}
        emit(runtime, Answered(text=answer.text))
        request = _request(state)
        turn = Turn(
            request=state["request"],
            images=request.images,
            about=images_of(plan.tasks, request.seen),
            tasks=plan.tasks,
            answer=answer.text,
            cost=spent(ordered),
        )
        info = runtime.execution_info
        if runtime.store is not None and info is not None and info.thread_id is not None:
            await store_turn(runtime.store, info.thread_id, info.checkpoint_id, turn)
        return {
            "messages": [AIMessage(answer.text)],
            "results": _dumps(results),
            "history": [turn.model_dump(mode="json")],
            "claims": [claim.model_dump(mode="json") for claim in answer.claims],
            "status": "answered" if state["status"] == "planned" else state["status"],
        }

    async def _services(self, runtime: Runtime[AssistantContext]) -> Services:
        context = _context(runtime)
        return context.services or await self._open_shared(context.settings)

    async def _decide(
        self,
        task: Task,
        services: Services,
        runtime: Runtime[AssistantContext],
        ahead: list[PlannedTask],
    ) -> Decision | TaskResult:
        """Ask the node for an arm; an error that no retry fixes becomes the task's result.

        Args:
            task: The task.
            services: Opened services.
            runtime: The runtime of the step.
            ahead: Tasks of the wave that were decided before; this one is added.
        """
        try:
            inputs = _inputs(task, services, runtime)
            facts = await inputs.facts()
            decision = await services.node.decide(task.tool, inputs.options, facts, ahead)
        except EdgewrightError as error:
            if worth_retrying(error):
                raise
            return failed(task, error)
        emit(runtime, Offloaded(task_id=task.id, tool=task.tool, decision=decision))
        camera = inputs.options.camera
        ahead.append(PlannedTask(card=task.tool, arm=decision.arm, camera=camera, image=facts))
        return decision


def after_plan(state: AssistantState) -> Literal["train", "offload", "answer"]:
    """Run the plan, or answer at once if there is nothing to run."""
    if state["status"] != "planned":
        return "answer"
    return "train" if _ready_trainings(state) else "offload"


def next_wave(state: AssistantState) -> list[Send] | Literal["train", "answer"]:
    """Send every ready task to its own branch, or answer if none is left."""
    if _ready_trainings(state):
        return "train"
    sends = [
        Send(
            "execute",
            TaskState(task=task.model_dump(mode="json"), decision=state["decisions"][task.id]),
        )
        for task in ready_tasks(Plan.model_validate(state["plan"]), _results(state))
    ]
    return sends or "answer"


def _ready_trainings(state: AssistantState) -> list[Task]:
    ready = ready_tasks(Plan.model_validate(state["plan"]), _results(state))
    return [task for task in ready if task.tool == TRAINING_CARD]


def _request(state: AssistantState) -> PlanRequest:
    """Return the turn's request, with the turns before it."""
    return PlanRequest(
        text=state["request"],
        images=tuple(ImageRef.model_validate(each) for each in state["images"]),
        history=tuple(Turn.model_validate(each) for each in state.get("history", [])),
    )


def _inputs(task: Task, services: Services, runtime: Runtime[AssistantContext]) -> CallInputs:
    card = services.cards.get(task.tool)
    return inputs_of(card, task.args, services.images, deadline_s=_context(runtime).deadline_s)


def _results(state: AssistantState) -> dict[str, TaskResult]:
    return {task_id: TaskResult.model_validate(each) for task_id, each in state["results"].items()}


def _dumps(results: dict[str, TaskResult]) -> dict[str, Any]:
    return {task_id: result.model_dump(mode="json") for task_id, result in results.items()}


def _finished(result: TaskResult, *, ms: float) -> TaskFinished:
    text = result.error.message if result.error else str(result.output.get("text", ""))
    return TaskFinished(
        task_id=result.task_id,
        tool=result.tool,
        status=result.status,
        arm=result.report.arm if result.report else "",
        ms=ms,
        text=text,
    )


def _context(runtime: Runtime[AssistantContext]) -> AssistantContext:
    return runtime.context or AssistantContext()
