"""The factory for coders."""

from __future__ import annotations

from edgewright.agents.fl_coder.chat import ChatCoder
from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.protocol import Coder
from edgewright.agents.llm.client import ChatModel
from edgewright.tools.settings import ChatModelSettings

__all__ = ["Coder", "make_coder"]


def make_coder(chat: ChatModelSettings | None = None) -> Coder:
    """Make a coder. Nothing is loaded before its first proposal.

    Args:
        chat: The chat model that writes code; if None or unnamed, the embedded coder is returned.
    """
    embedded = EmbeddedCoder()
    if chat is None or not chat.configured:
        return embedded
    return ChatCoder(ChatModel(chat), embedded)
