"""What a thread remembers: messages and JSON values only, so that each step is checkpointed."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from langgraph.graph import MessagesState

# Pydantic reads these classes for the schemas that Studio shows; before Python 3.12 it needs this.
from typing_extensions import TypedDict

Status = Literal["planned", "needs_input", "nothing_to_do", "answered"]


class AssistantInput(MessagesState):
    """What a turn is given.

    Attributes:
        messages: The request is the last one, from the person.
        attachments: Pictures of this turn, as ``ImageRef`` dumps.
    """

    attachments: list[dict[str, Any]]


class AssistantState(AssistantInput):
    """What the steps of a turn pass on.

    Attributes:
        request: The turn's text.
        images: The turn's pictures, as ``ImageRef`` dumps; ``attachments`` is emptied into it.
        history: Earlier turns of the thread, as ``Turn`` dumps, oldest first.
        plan: The turn's ``Plan``, frozen before anything runs.
        decisions: ``Decision`` dumps by task id.
        results: ``TaskResult`` dumps by task id.
        status: How far the turn came: ``needs_input`` when an input is missing and
            ``nothing_to_do`` when no card serves the request; nothing is run then.
        claims: What the answer says, each claim with the task that it rests on.
    """

    request: str
    images: list[dict[str, Any]]
    history: Annotated[list[dict[str, Any]], operator.add]
    plan: dict[str, Any]
    decisions: Annotated[dict[str, dict[str, Any]], operator.or_]
    results: Annotated[dict[str, dict[str, Any]], operator.or_]
    status: Status
    claims: list[dict[str, Any]]


class TaskState(TypedDict):
    """What one branch of ``execute`` is sent: a single task, ready to run.

    Attributes:
        task: The ``Task``, with the outputs of earlier tasks filled in.
        decision: Its ``Decision``.
    """

    task: dict[str, Any]
    decision: dict[str, Any]
