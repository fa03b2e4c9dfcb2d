"""What this machine can do: all cards, experts and models, built in, added and trained here.

Nothing heavy is imported before a model is loaded, so that a light client can ask for statuses.
"""

from __future__ import annotations

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


def experts() -> dict[str, Expert]:
    """Return all experts by id; none of them loads anything yet."""
    known = (*builtin_experts(load_adapter), *trained_experts())
    return {expert.id: expert for expert in known}


def known_cards() -> CardRegistry:
    """Return the cards that ship with the package, of models trained here, and added by a person.

    An added card never takes the place of another one.
    """
    cards = CardRegistry.builtin().with_cards(model.card for model in installed_models())
    return cards.with_cards(card for card in added_cards() if card.id not in cards)


def expert_statuses() -> dict[str, ExpertStatus]:
    """Return for every expert whether it can run on this machine, and if not, the fix."""
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


def load_adapter(model: str) -> PartitionAdapter:
    """Load a model, once a process.

    Args:
        model: Model id.

    Raises:
        NotFoundError: No such model (``unknown_model``).
        UnavailableError: It cannot be loaded here; the message names the fix.
    """
    return models().load(model)
