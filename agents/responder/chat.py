"""The answer worded by a chat model, given results as quoted data; templates when it cannot."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from edgewright.agents.llm.client import ChatModel, Message
from edgewright.agents.planner.plan import Plan
from edgewright.agents.responder.answer import Answer, Claim, Responder
from edgewright.agents.responder.result import TaskResult
from edgewright.tools.errors import EdgewrightError

#: Longest result that is told to the model, in characters of JSON.
MAX_RESULT = 2000


class _Wording(BaseModel):
    claims: list[Claim] = Field(min_length=1, max_length=50)


class ChatResponder:
    """Lets a chat model word the results that are there.

    Refusals and failures are always worded by the templates, so that a model never smooths one
    over; and an answer that leaves a result out, or names one that does not exist, is not used.

    Args:
        model: The chat model.
        templates: Who words everything else.
    """

    def __init__(self, model: ChatModel, templates: Responder) -> None:
        self._model = model
        self._templates = templates

    def answer(self, request: str, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer a request from the results of its plan."""
        plain = self._templates.answer(request, plan, results)
        good = {result.task_id: result for result in results if result.status == "ok"}
        if not good:
            return plain
        try:
            worded = self._worded(request, good)
        except EdgewrightError:
            return plain
        if {claim.task_id for claim in worded} != set(good):
            return plain
        claims = worded + [claim for claim in plain.claims if claim.task_id not in good]
        return Answer(text=" ".join(claim.text for claim in claims), claims=claims)

    def _worded(self, request: str, good: dict[str, TaskResult]) -> list[Claim]:
        """Ask the model; an answer of another form counts as none."""
        folder = files("edgewright.agents.responder") / "prompts"
        text = Template((folder / "answer.md").read_text("utf-8")).substitute(
            schema=json.dumps(_SCHEMA),
            request=json.dumps(request, ensure_ascii=False),
            results="\n".join(_told(result) for result in good.values()),
        )
        answer = self._model.ask(
            [Message(role="user", content=text)],
            _SCHEMA,
            deadline=time.monotonic() + self._model.settings.timeout_s,
        )
        try:
            return _Wording.model_validate(answer).claims
        except ValidationError:
            return []


def _told(result: TaskResult) -> str:
    told = {
        "task_id": result.task_id,
        "tool": result.tool,
        "output": result.output,
        "approximate": result.report is not None and result.report.approximate,
    }
    return json.dumps(told, ensure_ascii=False)[:MAX_RESULT]


_CLAIM: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "task_id": {"type": "string"}},
    "required": ["text", "task_id"],
    "additionalProperties": False,
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"claims": {"type": "array", "items": _CLAIM}},
    "required": ["claims"],
    "additionalProperties": False,
}
