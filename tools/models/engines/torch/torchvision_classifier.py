"""Any classifier of torchvision, from a local folder or the hub, cut by its own graph.

The folder holds ``model.safetensors``, the model's ``state_dict()``, and ``config.json``::

    {"architecture": "resnet18", "label_names": ["cat", "dog"]}
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.preprocessing import Preprocessing
from edgewright.tools.models.engines.torch.traced import traced_blocks
from edgewright.tools.models.source import ModelSource, unreadable

MODEL = "torchvision"


class Description(BaseModel):
    """What ``config.json`` says.

    Attributes:
        architecture: Name of the model in torchvision, e.g. ``densenet121``.
        label_names: Names of the classes by index; those of ImageNet if none are given.
        image_size: Side of the input in pixels; torchvision's own if none is given.
        weights: The one of torchvision's weights whose preparation of pictures applies.
        options: Further arguments of torchvision's builder, e.g. ``{"aux_logits": false}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    label_names: tuple[str, ...] = ()
    image_size: int | None = Field(default=None, ge=16, le=1024)
    weights: str = "DEFAULT"
    options: dict[str, bool | int | float] = Field(default_factory=dict)


class Classifier(Chain):
    """A classifier of torchvision.

    Attributes:
        label_names: Names of the classes by index.
    """

    def __init__(self, source: ModelSource) -> None:
        folder = source.folder()
        description = _described(folder, source)
        preset = _preset(description, source)
        self.label_names = description.label_names or tuple(preset.meta["categories"])
        preprocessing = _preprocessing(preset.transforms(), description.image_size)
        network = _network(description, len(self.label_names), folder, source)
        super().__init__(
            model=MODEL,
            network=network,
            blocks=traced_blocks(network, (3, *preprocessing.size)),
            preprocessing=preprocessing,
        )


@cache
def load(source: ModelSource) -> Classifier:
    """Load a model once a process; its expert reads the label names of the same one.

    Raises:
        UnavailableError: The model cannot be had whole; the message says what is missing.
    """
    return Classifier(source)


def _described(folder: Path, source: ModelSource) -> Description:
    try:
        return Description.model_validate_json((folder / "config.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise unreadable(source, error) from error


def _preset(description: Description, source: ModelSource) -> Any:
    """Return one of torchvision's weights: how pictures are prepared, and the labels' names."""
    classifiers = torchvision.models.list_models(module=torchvision.models)
    if description.architecture not in classifiers:
        raise UnavailableError(
            f"{source.name!r} names the architecture {description.architecture[:100]!r}, which is "
            "no classifier of torchvision; name one such as 'resnet18' in its config.json",
            code="model_unreadable",
        )
    known = torchvision.models.get_model_weights(description.architecture)
    try:
        return known[description.weights]
    except KeyError:
        raise UnavailableError(
            f"{source.name!r} names the weights {description.weights[:100]!r}; "
            f"{description.architecture} has {', '.join(known.__members__)}",
            code="model_unreadable",
        ) from None


def _preprocessing(transforms: Any, image_size: int | None) -> Preprocessing:
    """Read resizing and normalisation off torchvision's preset for classification."""
    crop, resize = transforms.crop_size[0], transforms.resize_size[0]
    side = image_size or crop
    return Preprocessing(
        size=(side, side),
        resample=Image.Resampling[transforms.interpolation.name],
        mean=tuple(255 * value for value in transforms.mean),
        deviation=tuple(255 * value for value in transforms.std),
        crop_margin=round((resize - crop) * side / crop),
    )


def _network(
    description: Description, classes: int, folder: Path, source: ModelSource
) -> torch.nn.Module:
    """Build the network and fill in every one of its weights."""
    try:
        network: torch.nn.Module = torchvision.models.get_model(
            description.architecture, weights=None, num_classes=classes, **description.options
        )
        weights = load_file(folder / "model.safetensors")
    except (OSError, TypeError, ValueError, SafetensorError) as error:
        raise unreadable(source, error) from error
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise UnavailableError(
            f"the weights of {source.name!r} are not those of a {description.architecture} with "
            f"{classes} classes; correct its config.json, or fetch the model again",
            code="model_incomplete",
        ) from None
    return network.eval()
