"""Factories for planners."""

from __future__ import annotations

from pathlib import Path

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.planner.chat import ChatPlanner
from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.fitting.ready import ready_model
from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.text.vector_cache import Progress, VectorCache
from edgewright.tools.cards import CardRegistry
from edgewright.tools.settings import ChatModelSettings, cache_folder

__all__ = ["AnyPlanner", "make_embedded_planner", "make_planner"]


def make_planner(
    cards: CardRegistry,
    *,
    chat: ChatModelSettings | None = None,
    on_progress: Progress = lambda done, total: None,
) -> AnyPlanner:
    """Make a planner for a catalogue. Nothing is loaded before the first request.

    Args:
        cards: The catalogue, with demonstrations.
        chat: The chat model to plan with; if None or unnamed, the embedded planner is returned.
        on_progress: Called while the texts of a catalogue are encoded for the first time.
    """
    embedded = make_embedded_planner(cards, on_progress=on_progress)
    if chat is None or not chat.configured:
        return embedded
    return ChatPlanner(cards, ChatModel(chat), embedded)


def make_embedded_planner(
    cards: CardRegistry,
    *,
    folder: Path | None = None,
    on_progress: Progress = lambda done, total: None,
) -> EmbeddedPlanner:
    """Make the embedded planner. Its model is loaded or fitted on the first request.

    Args:
        cards: The catalogue, with demonstrations.
        folder: Where vectors and fitted models are cached; None means ``planner`` in the cache.
        on_progress: Called while texts are encoded for the first time.
    """

    def load() -> RequestModel:
        cache = folder or cache_folder() / "planner"
        return ready_model(cards, VectorCache(cache, on_progress=on_progress), cache)

    return EmbeddedPlanner(cards, load)
