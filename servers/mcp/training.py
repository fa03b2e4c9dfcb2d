"""Trainings: a person approves each proposal before it is trained.

Older clients are asked while the call waits. Since the protocol of 2026-07-28 a server cannot ask:
the call ends with the question, and the client calls again with the answer. A run is stored after
each step, so both ways resume it where it stopped.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)

from edgewright.graphs.federated.advance import NewRun, advance
from edgewright.graphs.federated.data import data_request
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.state import TrainSettings
from edgewright.servers.data import check_source
from edgewright.servers.mcp.calls import success
from edgewright.servers.mcp.progress import Progress
from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.federated.records.report import RunReport

Json = dict[str, Any]
Context = ServerRequestContext[Any, Any]

_QUESTION = "approval"
_RUN = re.compile(r"[0-9a-f]{12}")
#: What a person can decide, in the form that clients show.
_FORM: Json = {
    "type": "object",
    "properties": {
        "decision": {
            "type": "string",
            "title": "Decision",
            "enum": ["accept", "respond", "decline"],
            "description": "accept: train it; respond: have it changed; decline: end the run",
        },
        "words": {
            "type": "string",
            "title": "What should change",
            "description": "With 'respond'.",
        },
    },
    "required": ["decision"],
}


async def call_train(
    context: Context,
    params: CallToolRequestParams,
    progress: Progress,
    *,
    allowed: Sequence[Path] | None,
) -> CallToolResult | InputRequiredResult:
    """Train a model.

    Args:
        context: The context of the call.
        params: The call.
        progress: Told of each step.
        allowed: The data besides the named sets; None allows everything.

    Returns:
        The result, or a question that the client answers by calling again.

    Raises:
        EdgewrightError: The data or the settings cannot be used, nobody can be asked
            (``approval_needed``), or nothing could be trained.
    """
    arguments = params.arguments or {}
    run, answer = _resumed(params)
    if run is None and arguments.get("approve", "ask") == "ask" and not _can_ask(context):
        raise InputError(
            "this client cannot ask a person; set 'approve' to 'auto', which trains in the sandbox",
            code="approval_needed",
        )
    begun: NewRun | str = run or await _new_run(arguments, allowed)

    def on_event(event: Event) -> None:
        progress.report(event.event.replace("_", " "))

    while True:
        advanced = await advance(begun, answer=answer, on_event=on_event)
        if advanced.question is None:
            assert advanced.report is not None
            return _result(advanced.report)
        begun = advanced.run
        form = ElicitRequestFormParams(
            message=str(advanced.question["description"]), requested_schema=_FORM
        )
        if not context.session.can_send_request:
            asked = {_QUESTION: ElicitRequest(params=form)}
            return InputRequiredResult(input_requests=asked, request_state=begun)
        answered = await context.session.elicit_form(
            form.message, _FORM, related_request_id=context.request_id
        )
        answer = _answer_of(answered)


async def _new_run(arguments: Mapping[str, Any], allowed: Sequence[Path] | None) -> NewRun:
    purpose = arguments["purpose"]
    data = await asyncio.to_thread(
        data_request, purpose, source=arguments.get("data"), clients=arguments.get("clients")
    )
    await asyncio.to_thread(check_source, data.source, allowed)
    settings = TrainSettings(
        approval=arguments.get("approve", "ask"), trials=arguments.get("trials", 4)
    )
    return NewRun(purpose, data, settings)


def _resumed(params: CallToolRequestParams) -> tuple[str | None, Json | None]:
    """Return the run that a call resumes, and the answer that it brings."""
    if params.request_state is None:
        return None, None
    answered = (params.input_responses or {}).get(_QUESTION)
    if not _RUN.fullmatch(params.request_state) or not isinstance(answered, ElicitResult):
        raise InputError(
            "this answers no question of a training; call again", code="answer_invalid"
        )
    return params.request_state, _answer_of(answered)


def _answer_of(answered: ElicitResult) -> Json:
    """Return a person's decision, in the form of ``graphs.federated.approval``."""
    content = answered.content or {}
    decision = content.get("decision")
    if answered.action != "accept" or decision == "decline":
        return {"type": "ignore", "args": None}
    if decision == "respond":
        return {"type": "response", "args": str(content.get("words") or "")}
    if decision == "accept":
        return {"type": "accept", "args": None}
    raise InputError(
        "the decision must be accept, respond or decline; answer again", code="answer_invalid"
    )


def _can_ask(context: Context) -> bool:
    wanted = ClientCapabilities(elicitation=ElicitationCapability())
    return context.session.check_client_capability(wanted)


def _result(report: RunReport) -> CallToolResult:
    if report.test is None:
        if report.stop == "declined":
            return success("Nothing was trained: the proposal was declined.", _short(report), [])
        raise UnavailableError(f"no candidate could be trained ({report.stop})", code="not_trained")
    what = f"the tool {report.tool!r}" if report.tool else "a model"
    text = (
        f"Trained {what}: it classifies {report.test.accuracy:.1%} of the test images correctly"
        f"{'' if report.tool else f'; {report.placement}'}."
    )
    return success(text, _short(report), [])


def _short(report: RunReport) -> Json:
    return {
        "run": report.run,
        "stop": report.stop,
        "tool": report.tool,
        "test_accuracy": report.test.accuracy if report.test else None,
    }
