"""Making a responder."""

from __future__ import annotations

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.responder.answer import Responder
from edgewright.agents.responder.chat import ChatResponder
from edgewright.agents.responder.templates import TemplateResponder
from edgewright.tools.settings import ChatModelSettings

__all__ = ["Responder", "make_responder"]


def make_responder(chat: ChatModelSettings | None = None) -> Responder:
    """Make a responder.

    Args:
        chat: The chat model that words answers; None or one without a name means templates.
    """
    templates = TemplateResponder()
    if chat is None or not chat.configured:
        return templates
    return ChatResponder(ChatModel(chat), templates)
