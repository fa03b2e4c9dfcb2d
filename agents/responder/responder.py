"""The one way to get a responder, and the answer by templates as a function."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.planner.plan import Plan
from edgewright.agents.responder.answer import Answer, Claim, Responder
from edgewright.agents.responder.chat import ChatResponder
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.responder.templates import TemplateResponder
from edgewright.tools.settings import ChatModelSettings

__all__ = ["Answer", "Claim", "Responder", "answer", "make_responder"]


def make_responder(chat: ChatModelSettings | None = None) -> Responder:
    """Make a responder.

    Args:
        chat: The chat model that words answers; None or one without a name means templates.
    """
    templates = TemplateResponder()
    if chat is None or not chat.configured:
        return templates
    return ChatResponder(ChatModel(chat), templates)


def answer(request: str, plan: Plan, results: Sequence[TaskResult]) -> Answer:
    """Answer by templates; see ``TemplateResponder.answer``."""
    return TemplateResponder().answer(request, plan, results)
