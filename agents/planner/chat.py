"""The chat-model planner.

The JSON schema of the answer lists the tools of the catalogue as an enum, and the answer is
validated again here: no tool, argument or dependency that does not exist enters a plan. If the
answer is still invalid after one repair round, or the endpoint is down or slow, the fallback
planner plans the request and ``plan.reason`` says why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from edgewright.agents.llm.client import ChatModel, InvalidAnswerError, Message
from edgewright.agents.llm.structured import ask_validated, object_schema, parse
from edgewright.agents.planner.condition import Check, Condition, Operator, ResultField
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.prefix import prefix, prompt, request_message
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.planner.request import MAX_REQUEST, PlanRequest
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import EdgewrightError

#: Maximum number of tasks in a plan.
MAX_TASKS = 20

_REFERENCE = re.compile(r"^<(\w+)>$")


class _Argument(BaseModel):
    name: str
    value: str = Field(max_length=4000)


class _Step(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    tool: str
    args: list[_Argument] = Field(default_factory=list)
    depends_on: list[str] = Field(default_factory=list)
    match: Literal["all", "any"] = "all"
    when: list[Check] = Field(default_factory=list, max_length=10)


class _Proposal(BaseModel):
    model_config = ConfigDict(extra="ignore")

    tasks: list[_Step] = Field(max_length=MAX_TASKS)
    confidence: float = Field(default=1.0, ge=0, le=1)
    reason: str = Field(default="", max_length=2000)
    undone: str = Field(default="", max_length=500)


class ChatPlanner:
    """Plans with an OpenAI-compatible chat model.

    Args:
        cards: The tools that may be planned.
        model: The chat model.
        fallback: The planner to use when the chat model fails.
    """

    def __init__(self, cards: CardRegistry, model: ChatModel, fallback: AnyPlanner) -> None:
        self._cards = cards
        self._model = model
        self._fallback = fallback
        self._schema = answer_schema(cards)

    def prepare(self) -> None:
        """Do nothing: the chat model is elsewhere, and the fallback is seldom needed."""

    def plan(self, request: PlanRequest) -> Plan:
        """Plan a request. Neither a bad request nor a failing endpoint raises."""
        if not request.text.strip() or len(request.text) > MAX_REQUEST:
            return self._fallback.plan(request)
        try:
            return self._ask(request)
        except EdgewrightError as error:
            plan = self._fallback.plan(request)
            reason = f"The chat model was not used: {error.message}."
            return plan.model_copy(update={"reason": f"{reason} {plan.reason}".strip()})

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan requests one after another."""
        return [self.plan(request) for request in requests]

    def _ask(self, request: PlanRequest) -> Plan:
        """Ask the model, with one repair round if its first answer is invalid."""
        images = {f"image-{n}": image for n, image in enumerate(request.seen, start=1)}
        messages = [
            Message(
                role="system", content=prefix(list(self._cards), request.sensors, self._schema)
            ),
            Message(role="user", content=request_message(request, images)),
        ]
        return ask_validated(
            self._model,
            messages,
            self._schema,
            lambda answer: self._validated(request, answer, images),
            repair=lambda complaint: prompt("repair", error=complaint),
        )

    def _validated(
        self, request: PlanRequest, answer: dict[str, Any], images: dict[str, ImageRef]
    ) -> Plan:
        """Turn the model's answer into a plan, or raise what is wrong with it."""
        proposal = parse(_Proposal, answer)
        names = {step.id: f"t{n}" for n, step in enumerate(proposal.tasks, start=1)}
        if len(names) != len(proposal.tasks):
            raise InvalidAnswerError("two of its tasks have the same id")
        needs: set[str] = set()
        tasks: list[Task] = []
        for step in proposal.tasks:
            if step.tool not in self._cards:
                raise InvalidAnswerError(f"there is no tool {step.tool[:100]!r}")
            card = self._cards.get(step.tool)
            earlier = {task.id for task in tasks}
            about = {name: image for name, image in images.items() if image in request.subject}
            args, parents = _arguments(step, card, names, earlier, images, about)
            needs |= _missing(card, args)
            tasks.append(
                Task(
                    id=names[step.id],
                    tool=card.id,
                    task_type=card.task_type,
                    args=args,
                    depends_on=tuple(sorted(parents, key=lambda name: int(name[1:]))),
                    when=_condition(step, names, earlier),
                    confidence=proposal.confidence,
                )
            )
        if not tasks and not proposal.reason:
            raise InvalidAnswerError("it has neither tasks nor a reason for having none")
        return Plan(
            request=request.text,
            tasks=tuple(tasks),
            planner="chat-model",
            confidence=proposal.confidence,
            needs=tuple(sorted(needs)),
            reason="" if tasks else proposal.reason,
            notes=(proposal.undone,) if tasks and proposal.undone else (),
        )


def answer_schema(cards: CardRegistry) -> dict[str, Any]:
    """Return the schema of the model's answer, within what strict structured output supports."""
    argument = object_schema(name={"type": "string"}, value={"type": "string"})
    check = object_schema(
        task={"type": "string"},
        field={"type": "string", "enum": list(get_args(ResultField))},
        op={"type": "string", "enum": list(get_args(Operator))},
        value={"type": "string"},
    )
    step = object_schema(
        id={"type": "string"},
        tool={"type": "string", "enum": [card.id for card in cards]},
        args={"type": "array", "items": argument},
        depends_on={"type": "array", "items": {"type": "string"}},
        match={"type": "string", "enum": ["all", "any"]},
        when={
            "type": "array",
            "items": check,
            "description": "what has to hold of earlier results for the task to run; else empty",
        },
    )
    return object_schema(
        tasks={"type": "array", "items": step},
        confidence={"type": "number", "description": "0 to 1: how sure the plan is right"},
        reason={"type": "string", "description": "why there are no tasks, else empty"},
        undone={"type": "string", "description": "what no task does of the request, else empty"},
    )


def _arguments(
    step: _Step,
    card: ToolCard,
    names: dict[str, str],
    earlier: set[str],
    images: dict[str, ImageRef],
    about: dict[str, ImageRef],
) -> tuple[dict[str, str], set[str]]:
    """Validate the arguments of a step, and replace references and image names by final ones.

    Returns:
        The arguments by name, and the ids of the tasks that the step depends on.
    """
    parents = {_parent(name, step, names, earlier) for name in step.depends_on}
    args: dict[str, str] = {}
    for argument in step.args:
        spec = card.arguments.get(argument.name)
        if spec is None:
            raise InvalidAnswerError(f"{card.id} has no argument {argument.name[:100]!r}")
        if not argument.value:
            continue
        reference = _REFERENCE.match(argument.value)
        if reference:
            parent = _parent(reference[1], step, names, earlier)
            parents.add(parent)
            args[argument.name] = f"<{parent}>"
        elif spec.type == "image":
            if argument.value not in images:
                raise InvalidAnswerError(
                    f"there is no image {argument.value[:100]!r}, only {sorted(images)}"
                )
            args[argument.name] = images[argument.value].uri
        else:
            args[argument.name] = argument.value[: spec.max_length]
    for name, spec in card.arguments.items():
        if spec.type == "image" and name not in args and len(about) == 1:
            args[name] = next(iter(about.values())).uri
    return args, parents


def _condition(step: _Step, names: dict[str, str], earlier: set[str]) -> Condition | None:
    """Validate the condition of a step, and name its tasks by their final ids."""
    if not step.when:
        return None
    checks: list[Check] = []
    for check in step.when:
        if check.field == "count" and not check.value.isdecimal():
            raise InvalidAnswerError(f"a count is compared with {check.value[:50]!r}, not a number")
        task = _parent(check.task, step, names, earlier)
        checks.append(check.model_copy(update={"task": task}))
    return Condition(match=step.match, checks=tuple(checks))


def _parent(name: str, step: _Step, names: dict[str, str], earlier: set[str]) -> str:
    """Return the final id of a task that a step depends on."""
    parent = names.get(name)
    if parent is None or parent not in earlier:
        raise InvalidAnswerError(
            f"task {step.id[:50]!r} depends on {name[:50]!r}, which does not come before it"
        )
    return parent


def _missing(card: ToolCard, args: dict[str, str]) -> set[str]:
    """Return the required arguments that have no value, images as ``image``."""
    return {
        "image" if spec.type == "image" else name
        for name, spec in card.arguments.items()
        if spec.required and spec.default is None and name not in args
    }
