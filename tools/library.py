"""The cards, experts and models of this machine: built in, added and trained.

Heavy packages are imported only when a model is loaded, so that a light client can read statuses;
experts only when they are listed, since most clients need the cards alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from edgewright.tools.cards.added import added_cards
from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.contracts.cards import ExpertStatus
from edgewright.tools.federated.serving.installed import installed_models
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.expert import PERCEPTION, Expert, GeneratingExpert, OutputExpert
from edgewright.tools.models.registry import ModelRegistry
from edgewright.tools.plugins import CARDS, EXPERTS, MODELS, contributions

if TYPE_CHECKING:
    from edgewright.tools.sensing.expert import SensingExpert
    from edgewright.tools.vision.scene import SceneExpert


def models() -> ModelRegistry:
    """Return all models by id."""
    from edgewright.tools.federated.serving.models import trained_models

    return ModelRegistry(lambda: (*trained_models(), *contributions(MODELS)))


def experts() -> dict[str, Expert]:
    """Return all experts by id, without loading any model."""
    return {**output_experts(), **scene_experts(), **generating_experts()}


def scene_experts() -> dict[str, SceneExpert]:
    """Return the experts that look at whole images, by id."""
    from edgewright.tools.vision.experts import builtin_scene_experts

    return {
        expert.id: expert for expert in (*_plugin_experts(scene=True), *builtin_scene_experts())
    }


def generating_experts() -> dict[str, GeneratingExpert]:
    """Return the experts that make images, by id."""
    from edgewright.tools.vision.experts import builtin_generating_experts

    return {expert.id: expert for expert in builtin_generating_experts()}


def output_experts(
    load: Callable[[str], Any] | None = None, *, threads: int | None = None
) -> dict[str, OutputExpert]:
    """Return the experts that interpret the output of a model, by id, without loading any.

    Args:
        load: Returns the loaded model with a given id, for experts that need its label names; None
            loads it when it is first needed.
        threads: Number of threads of text decoders; None leaves the engine's default.
    """
    from edgewright.tools.federated.serving.models import trained_experts
    from edgewright.tools.vision.experts import builtin_experts

    decoders = partial(load_original, threads=threads)
    known = (*builtin_experts(load or load_adapter, decoders), *trained_experts())
    return {expert.id: expert for expert in (*_plugin_experts(scene=False), *known)}


def sensing_experts() -> tuple[SensingExpert, ...]:
    """Return the experts that read sensors, or other tasks' estimates."""
    from edgewright.tools.sensing.experts import builtin_sensing_experts

    return builtin_sensing_experts()


def known_cards() -> CardRegistry:
    """Return the built-in cards, those of models trained here, of plug-ins, and added by a person.

    A card of a plug-in or a person never replaces another one.
    """
    cards = CardRegistry.builtin().with_cards(model.card for model in installed_models())
    for card in contributions(CARDS):
        if card.id not in cards:
            cards = cards.with_cards([card])
    return cards.with_cards(card for card in added_cards() if card.id not in cards)


def _plugin_experts(*, scene: bool) -> list[Any]:
    """Return the experts of plug-ins that look at whole images, or those that read an output.

    They come before the built-in ones, which therefore replace those of the same name.
    """
    return [expert for expert in contributions(EXPERTS) if (expert.model == PERCEPTION) is scene]


def expert_statuses() -> dict[str, ExpertStatus]:
    """Return, for each expert, whether it can run on this machine and, if not, the fix."""
    from edgewright.tools.vision.perception.needed import perception_obstacle
    from edgewright.tools.vision.pose_to_image import generation_obstacle

    registry = models()
    obstacles = {
        expert.id: registry.get(expert.model).obstacle() for expert in output_experts().values()
    }
    for expert in scene_experts().values():
        obstacles[expert.id] = perception_obstacle(expert.needs)
    obstacles |= {expert.id: expert.obstacle() for expert in sensing_experts()}
    for maker in generating_experts().values():
        obstacles[maker.id] = generation_obstacle(maker.model)
    return {
        expert.id: ExpertStatus(
            expert=expert.id,
            model=expert.model,
            available=not obstacles[expert.id],
            approximate=expert.approximate,
            reason=obstacles[expert.id],
        )
        for expert in (*experts().values(), *sensing_experts())
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
