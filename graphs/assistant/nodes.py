"""The steps of a turn. Each takes the state and returns what changes in it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, Send

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant import training
from edgewright.graphs.assistant.context import Context, Services
from edgewright.graphs.assistant.events import (
    Answered,
    Offloaded,
    Planned,
    TaskFinished,
    TaskStarted,
    Training,
    Understood,
    emit,
)
from edgewright.graphs.assistant.failures import failed, lacking, worth_retrying
from edgewright.graphs.assistant.inputs import prepare
from edgewright.graphs.assistant.messages import read_request
from edgewright.graphs.assistant.services import services_of
from edgewright.graphs.assistant.state import AssistantState, Status, TaskState
from edgewright.graphs.assistant.waves import blocked_tasks, ready_tasks
from edgewright.graphs.federated.events import Event as FederatedEvent
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.reference import ImageRef
from edgewright.tools.nodes.schema import Decision

Update = dict[str, Any]


async def understand(state: AssistantState, runtime: Runtime[Context]) -> Update:
    """Read the request and its pictures, and clear what the last turn left."""
    services = await services_of(runtime)
    message, inside = await read_request(state["messages"], services.images)
    attached = [ImageRef.model_validate(each) for each in state.get("attachments") or []]
    images = [*attached, *inside]
    names = [image.name or image.uri for image in images]
    emit(runtime, Understood(request=message.text, images=names))
    return {
        "messages": [message],
        "request": message.text,
        "attachments": [],
        "images": [image.model_dump(mode="json") for image in images],
        "decisions": Overwrite({}),
        "results": Overwrite({}),
        "claims": [],
    }


async def plan(state: AssistantState, runtime: Runtime[Context]) -> Update:
    """Turn the request into tasks. From here on the plan is frozen."""
    services = await services_of(runtime)
    await services.refresh()
    try:
        sensors = await services.node.sensors()
    except EdgewrightError:
        # A plan can be made without them; a node that is down is reported when it is needed.
        sensors = []
    request = PlanRequest(
        text=state["request"],
        images=tuple(ImageRef.model_validate(each) for each in state["images"]),
        history=tuple(Turn.model_validate(each) for each in state.get("history", [])),
        sensors=tuple(sorted({sensor.kind for sensor in sensors})),
    )
    made = await asyncio.to_thread(services.planner.plan, request)
    emit(runtime, Planned(plan=made))
    status: Status = "planned"
    if made.needs:
        status = "needs_input"
    elif not made.tasks:
        status = "nothing_to_do"
    return {"plan": made.as_json(), "status": status}


def after_plan(state: AssistantState) -> Literal["train", "offload", "answer"]:
    """Run the plan, or answer at once when there is nothing that can be run."""
    if state["status"] != "planned":
        return "answer"
    tools = {task["tool"] for task in state["plan"]["tasks"]}
    return "train" if training.CARD in tools else "offload"


async def train(state: AssistantState, runtime: Runtime[Context]) -> Update:
    """Carry out the tasks that train a model; the new card serves from the next turn on."""
    services = await services_of(runtime)
    results: dict[str, TaskResult] = {}
    for task in Plan.model_validate(state["plan"]).tasks:
        if task.tool != training.CARD:
            continue
        emit(runtime, TaskStarted(task_id=task.id, tool=task.tool, arm="federated"))
        started = time.perf_counter()

        def tell(step: FederatedEvent, task_id: str = task.id) -> None:
            emit(runtime, Training(task_id=task_id, step=step))

        result = await training.trained(task, state["request"], services.trainer, tell)
        emit(runtime, _finished(result, ms=(time.perf_counter() - started) * 1000))
        results[task.id] = result
    return {"results": _dumps(results)}


async def offload(state: AssistantState, runtime: Runtime[Context]) -> Update:
    """Choose an arm for each task that is ready, with the link as it is now.

    Runs before each wave of tasks. A task that needs the output of a failed one, and one for which
    the node has no arm, gets its result here without being run.
    """
    services = await services_of(runtime)
    made = Plan.model_validate(state["plan"])
    results = _results(state)
    ready = ready_tasks(made, results)
    outcomes = await asyncio.gather(*(_decide(task, services, runtime) for task in ready))
    decisions: dict[str, Any] = {}
    new: dict[str, TaskResult] = {}
    for task, outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, Decision):
            decisions[task.id] = outcome.model_dump(mode="json")
        else:
            new[task.id] = outcome
    new |= blocked_tasks(made, results | new)
    for result in new.values():
        emit(runtime, _finished(result, ms=0.0))
    return {"decisions": decisions, "results": _dumps(new)}


def next_wave(state: AssistantState) -> list[Send] | Literal["answer"]:
    """Send every task that is ready to its own branch, or answer when none is left."""
    sends = [
        Send(
            "execute",
            TaskState(task=task.model_dump(mode="json"), decision=state["decisions"][task.id]),
        )
        for task in ready_tasks(Plan.model_validate(state["plan"]), _results(state))
    ]
    return sends or "answer"


async def execute(state: TaskState, runtime: Runtime[Context]) -> Update:
    """Have the node run one task with the chosen arm. The node walks the fallback ladder."""
    services = await services_of(runtime)
    task = Task.model_validate(state["task"])
    decision = Decision.model_validate(state["decision"])
    emit(runtime, TaskStarted(task_id=task.id, tool=task.tool, arm=decision.arm.label))
    started = time.perf_counter()
    options, image = await prepare(
        services.cards.get(task.tool), task.args, services.images, deadline_s=_deadline_s(runtime)
    )
    options = options.model_copy(update={"arm": decision.arm})
    response = await services.node.invoke(task.tool, options, image)
    result = TaskResult(
        task_id=task.id,
        tool=task.tool,
        status=response.status,
        output=response.output,
        report=response.report,
        error=response.error,
    )
    emit(runtime, _finished(result, ms=(time.perf_counter() - started) * 1000))
    return {"results": _dumps({task.id: result})}


async def record_failure(
    state: TaskState, error: NodeError, runtime: Runtime[Context]
) -> Command[Literal["offload"]]:
    """Turn the failure of one branch into a result, so that the others and the thread live on."""
    result = failed(Task.model_validate(state["task"]), error.error)
    emit(runtime, _finished(result, ms=0.0))
    return Command(goto="offload", update={"results": _dumps({result.task_id: result})})


async def record_outage(
    state: AssistantState, error: NodeError, runtime: Runtime[Context]
) -> Command[Literal["answer"]]:
    """Give every task that is left the same result when the node cannot be asked at all."""
    tasks = Plan.model_validate(state["plan"]).tasks
    left = {task.id: failed(task, error.error) for task in tasks if task.id not in state["results"]}
    for result in left.values():
        emit(runtime, _finished(result, ms=0.0))
    return Command(goto="answer", update={"results": _dumps(left)})


async def answer(state: AssistantState, runtime: Runtime[Context]) -> Update:
    """Say what came of it, from the results alone."""
    services = await services_of(runtime)
    made = Plan.model_validate(state["plan"])
    results = _results(state)
    ordered = [results[task.id] for task in made.tasks if task.id in results]
    said = await asyncio.to_thread(services.responder.answer, state["request"], made, ordered)
    if state["status"] == "needs_input":
        results = {task.id: lacking(task, made.needs) for task in made.tasks}
    emit(runtime, Answered(text=said.text))
    turn = Turn(
        request=state["request"],
        images=tuple(ImageRef.model_validate(each) for each in state["images"]),
        plan_tools=tuple(task.tool for task in made.tasks),
        answer=said.text,
    )
    return {
        "messages": [AIMessage(said.text)],
        "results": _dumps(results),
        "history": [turn.model_dump(mode="json")],
        "claims": [claim.model_dump(mode="json") for claim in said.claims],
        "status": "answered" if state["status"] == "planned" else state["status"],
    }


async def _decide(
    task: Task, services: Services, runtime: Runtime[Context]
) -> Decision | TaskResult:
    """Ask the node for an arm; an error that no retry mends becomes the task's result."""
    try:
        card = services.cards.get(task.tool)
        options, image = await prepare(
            card, task.args, services.images, deadline_s=_deadline_s(runtime)
        )
        decision = await services.node.decide(task.tool, options, image)
    except EdgewrightError as error:
        if worth_retrying(error):
            raise
        return failed(task, error)
    emit(runtime, Offloaded(task_id=task.id, tool=task.tool, decision=decision))
    return decision


def _deadline_s(runtime: Runtime[Context]) -> float:
    return (runtime.context or Context()).deadline_s


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
