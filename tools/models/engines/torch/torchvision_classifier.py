"""Any torchvision classifier, from a local folder or the hub, cut along its traced graph.

The folder contains ``model.safetensors``, the model's ``state_dict()``, and ``config.json``::

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
from edgewright.tools.models.engines.torch.traced import traced_blocks
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.models.source import ModelSource, unreadable_error

MODEL = "torchvision"


class Description(BaseModel):
    """The contents of ``config.json``.

    Attributes:
        architecture: Name of the model in torchvision, e.g. ``densenet121``.
        label_names: Names of the classes by index; default: the ImageNet labels.
        image_size: Side of the input in pixels; default: that of torchvision's weights.
        weights: Name of the torchvision weights whose image preprocessing applies.
        options: Additional arguments of torchvision's model builder, e.g. ``{"aux_logits":
            false}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    label_names: tuple[str, ...] = ()
    image_size: int | None = Field(default=None, ge=16, le=1024)
    weights: str = "DEFAULT"
    options: dict[str, bool | int | float] = Field(default_factory=dict)


class Classifier(Chain):
    """A torchvision classifier.

    Attributes:
        label_names: Names of the classes by index.
    """

    def __init__(self, source: ModelSource) -> None:
        folder = source.folder()
        description = _read_description(folder, source)
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
    """Load a model once per process; its expert reads the label names of the same instance.

    Raises:
        UnavailableError: The model is missing or incomplete; the message says what is missing.
    """
    return Classifier(source)


def _read_description(folder: Path, source: ModelSource) -> Description:
    try:
        return Description.model_validate_json((folder / "config.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise unreadable_error(source, error) from error


def _preset(description: Description, source: ModelSource) -> Any:
    """Return the torchvision weights that define the image preprocessing and label names."""
    classifiers = torchvision.models.list_models(module=torchvision.models)
    if description.architecture not in classifiers:
        raise UnavailableError(
            f"{source.name!r} has the architecture {description.architecture[:100]!r}, which is "
            "not a torchvision classifier; set one such as 'resnet18' in its config.json",
            code="model_unreadable",
        )
    known = torchvision.models.get_model_weights(description.architecture)
    try:
        return known[description.weights]
    except KeyError:
        raise UnavailableError(
            f"{source.name!r} has the unknown weights {description.weights[:100]!r}; "
            f"set one of {', '.join(known.__members__)} in its config.json",
            code="model_unreadable",
        ) from None


def _preprocessing(transforms: Any, image_size: int | None) -> Preprocessing:
    """Return the resizing and normalisation of torchvision's classification preset."""
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
    """Build the network and load all of its weights."""
    try:
        network: torch.nn.Module = torchvision.models.get_model(
            description.architecture, weights=None, num_classes=classes, **description.options
        )
        weights = load_file(folder / "model.safetensors")
    except (OSError, TypeError, ValueError, SafetensorError) as error:
        raise unreadable_error(source, error) from error
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise UnavailableError(
            f"the weights of {source.name!r} do not match a {description.architecture} with "
            f"{classes} classes; correct its config.json, or download the model again",
            code="model_incomplete",
        ) from None
    return network.eval()
