"""The cards, experts and models of this machine: built in, added and trained.

Heavy packages are imported only when a model is loaded, so that a light client can read statuses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from edgewright.tools.cards.added import added_cards
from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.contracts.cards import ExpertStatus
from edgewright.tools.federated.serving.installed import installed_models
from edgewright.tools.federated.serving.models import trained_experts, trained_models
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.expert import Expert
from edgewright.tools.models.registry import ModelRegistry
from edgewright.tools.vision.experts import builtin_experts


def models() -> ModelRegistry:
    """Return all models by id."""
    return ModelRegistry(trained_models)


def experts(
    load: Callable[[str], Any] | None = None, *, threads: int | None = None
) -> dict[str, Expert]:
    """Return all experts by id, without loading any model.

    Args:
        load: Returns the loaded model with a given id, for experts that need its label names; None
            loads it when it is first needed.
        threads: Number of threads of text decoders; None leaves the engine's default.
    """
    decoders = partial(load_original, threads=threads)
    known = (*builtin_experts(load or load_adapter, decoders), *trained_experts())
    return {expert.id: expert for expert in known}


def known_cards() -> CardRegistry:
    """Return the built-in cards, those of models trained here, and those added by a person.

    An added card never replaces another one.
    """
    cards = CardRegistry.builtin().with_cards(model.card for model in installed_models())
    return cards.with_cards(card for card in added_cards() if card.id not in cards)


def expert_statuses() -> dict[str, ExpertStatus]:
    """Return, for each expert, whether it can run on this machine and, if not, the fix."""
    registry = models()
    obstacles = {expert.id: registry.get(expert.model).obstacle() for expert in experts().values()}
    return {
        expert.id: ExpertStatus(
            expert=expert.id,
            model=expert.model,
            available=not obstacles[expert.id],
            approximate=expert.approximate,
            reason=obstacles[expert.id],
        )
        for expert in experts().values()
    }


def load_original(model: str, *, threads: int | None = None) -> PartitionAdapter:
    """Load a model as it was before any export; each process loads it once.

    Args:
        model: Model id.
        threads: Number of threads that run each operation; None leaves the engine's default.

    Raises:
        NotFoundError: No such model (``unknown_model``).
        UnavailableError: The model cannot be loaded here; the message names the fix.
    """
    return models().get(model).load_original(threads=threads)


def load_adapter(model: str, *, threads: int | None = None) -> PartitionAdapter:
    """Load a model; each process loads it once.

    Args:
        model: Model id.
        threads: Number of threads that run each operation; None leaves the engine's default.

    Raises:
        NotFoundError: No such model (``unknown_model``).
        UnavailableError: The model cannot be loaded here; the message names the fix.
    """
    return models().load(model, threads=threads)
