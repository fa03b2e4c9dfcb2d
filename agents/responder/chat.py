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
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.responder.answer import Answer, Claim, Responder
from edgewright.agents.responder.evidence import is_supported
from edgewright.agents.responder.layout import compose, subjects
from edgewright.agents.responder.result import TaskResult
from edgewright.tools.errors import EdgewrightError

#: Maximum length of one result in the prompt, in characters of JSON.
MAX_RESULT = 2000


class _Wording(BaseModel):
    claims: list[Claim] = Field(min_length=1, max_length=50)


class ChatResponder:
    """Lets a chat model word the successful results; implements ``Responder``.

    The templates word refusals and failures, so that no model glosses over one. An answer that
    leaves a result out, or names one that does not exist, is discarded. A statement whose labels,
    numbers, names or yes/no are not in its result is replaced by the template's.

    Args:
        model: The chat model.
        templates: Words everything else.
    """

    def __init__(self, model: ChatModel, templates: Responder) -> None:
        self._model = model
        self._templates = templates

    def answer(self, request: PlanRequest, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer a request from the results of its plan."""
        plain = self._templates.answer(request, plan, results)
        succeeded = {result.task_id: result for result in results if result.status == "ok"}
        if not succeeded:
            return plain
        try:
            worded = self._worded(request.text, succeeded)
        except EdgewrightError:
            return plain
        if {claim.task_id for claim in worded} != set(succeeded):
            return plain
        doubtful = {
            claim.task_id
            for claim in worded
            if not is_supported(claim.text, succeeded[claim.task_id].output, request.text)
        }
        claims = [claim for claim in worded if claim.task_id not in doubtful]
        claims += [
            claim
            for claim in plain.claims
            if claim.task_id in doubtful or claim.task_id not in succeeded
        ]
        return compose(claims, subjects(request, plan), request, plan, results)

    def _worded(self, request: str, succeeded: dict[str, TaskResult]) -> list[Claim]:
        """Ask the model; return no claims if its answer does not follow the schema."""
        folder = files("edgewright.agents.responder") / "prompts"
        text = Template((folder / "answer.md").read_text("utf-8")).substitute(
            schema=json.dumps(_SCHEMA),
            request=json.dumps(request, ensure_ascii=False),
            results="\n".join(_quoted(result) for result in succeeded.values()),
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


def _quoted(result: TaskResult) -> str:
    quoted = {"task_id": result.task_id, "tool": result.tool, "output": result.output}
    return json.dumps(quoted, ensure_ascii=False)[:MAX_RESULT]


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
