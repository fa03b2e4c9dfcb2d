"""State of a thread: messages and JSON values only, so that each step can be checkpointed."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from langgraph.graph import MessagesState

# Pydantic reads these classes for the schemas that Studio shows; before Python 3.12 it needs this.
from typing_extensions import TypedDict

from edgewright.graphs.assistant.history import latest

Status = Literal["planned", "needs_input", "nothing_to_do", "answered"]


class AssistantInput(MessagesState):
    """Input of a turn.

    Attributes:
        messages: The last one is the person's request; all but the latest ones before it are
            removed.
        attachments: Images of this turn, as ``ImageRef`` dumps.
    """

    attachments: list[dict[str, Any]]


class AssistantState(AssistantInput):
    """State that the steps of a turn pass on.

    Attributes:
        request: The turn's text.
        images: The turn's images, as ``ImageRef`` dumps; ``attachments`` is moved into it.
        history: The latest turns of the thread, as ``Turn`` dumps, oldest first.
        plan: The turn's ``Plan``, frozen before anything runs.
        decisions: ``Decision`` dumps by task id.
        results: ``TaskResult`` dumps by task id.
        status: How far the turn got: ``needs_input`` when an input is missing and
            ``nothing_to_do`` when no card serves the request; nothing is run then.
        claims: The claims of the answer, each with the task that supports it.
    """

    request: str
    images: list[dict[str, Any]]
    history: Annotated[list[dict[str, Any]], latest]
    plan: dict[str, Any]
    decisions: Annotated[dict[str, dict[str, Any]], operator.or_]
    results: Annotated[dict[str, dict[str, Any]], operator.or_]
    status: Status
    claims: list[dict[str, Any]]


class TaskState(TypedDict):
    """Input of one ``execute`` branch: a single task, ready to run.

    Attributes:
        task: The ``Task``, with the outputs of earlier tasks filled in.
        decision: Its ``Decision``.
    """

    task: dict[str, Any]
    decision: dict[str, Any]
