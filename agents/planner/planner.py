"""The one way to get a planner."""

from __future__ import annotations

from edgewright.agents.chat_model import ChatModel
from edgewright.agents.planner.chat import ChatPlanner
from edgewright.agents.planner.embedded import EmbeddedPlanner
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.tools.cards import CardRegistry
from edgewright.tools.settings import ChatModelSettings

__all__ = ["AnyPlanner", "make_planner"]


def make_planner(cards: CardRegistry, *, chat: ChatModelSettings | None = None) -> AnyPlanner:
    """Make a planner over a catalogue; nothing is loaded before the first request.

    Args:
        cards: What can be asked for, with its demonstrations.
        chat: The chat model to plan with; None or one without a name means the embedded planner.
    """
    embedded = EmbeddedPlanner(cards)
    if chat is None or not chat.configured:
        return embedded
    return ChatPlanner(cards, ChatModel(chat), embedded)
