"""The one way to get a planner."""

from __future__ import annotations

from pathlib import Path

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.planner.chat import ChatPlanner
from edgewright.agents.planner.embedded.model import RequestModel
from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.fitting.examples import collect
from edgewright.agents.planner.fitting.model import load_model
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
    """Make a planner over a catalogue; nothing is loaded before the first request.

    Args:
        cards: What can be requested, with demonstrations.
        chat: The chat model to plan with; None or one without a name means the embedded planner.
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
    """Make the embedded planner; its model is loaded or fitted on the first request.

    Args:
        cards: What can be requested, with demonstrations.
        folder: Where vectors and fitted models are cached; None means ``planner`` in the cache.
        on_progress: Called while texts are encoded for the first time.
    """

    def load() -> RequestModel:
        place = folder or cache_folder() / "planner"
        return load_model(collect(cards), VectorCache(place, on_progress=on_progress), place)

    return EmbeddedPlanner(cards, load)
