"""EfficientNet-Lite0, with the ImageNet weights from its package or with fine-tuned weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.chain import Block, Chain
from edgewright.tools.models.engines.torch.lite0_weights import load_weights
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.models.source import ModelSource, unreadable_error

MODEL = "efficientnet-lite0"
#: The same network, fine-tuned to other classes.
TUNED_MODEL = "efficientnet-lite0-tuned"
WEIGHTS = "model.safetensors"

# As in training: a centre crop of 224/256 of the shorter side, bicubic, (x - 127)/128.
_PREPROCESSING = Preprocessing(
    size=(224, 224),
    resample=Image.Resampling.BICUBIC,
    mean=(127.0, 127.0, 127.0),
    deviation=(128.0, 128.0, 128.0),
    crop_margin=32,
)


#: Industrial images have no margin to spare, so they are not cropped.
_TUNED_PREPROCESSING = replace(_PREPROCESSING, crop_margin=None)


@cache
def load() -> Chain:
    """Load the network from its packages, once per process.

    Its blocks are the stem, each MBConv, and the head convolution with pooling and classifier.

    Raises:
        UnavailableError: The packages are not installed (``model_missing``).
    """
    return _chain(MODEL, _pretrained(), _PREPROCESSING)


def load_for_tuning(classes: int) -> Chain:
    """Return the pretrained network with an untrained classifier for other classes.

    Args:
        classes: Number of classes.

    Raises:
        UnavailableError: The packages are not installed (``model_missing``).
    """
    return _chain(TUNED_MODEL, _with_classes(classes), _TUNED_PREPROCESSING)


@cache
def load_tuned(source: ModelSource) -> Chain:
    """Load fine-tuned weights, once per process.

    Args:
        source: Contains ``model.safetensors``, the network's ``state_dict()``.

    Raises:
        UnavailableError: The packages are not installed (``model_missing``), or the weights are
            missing or incomplete.
    """
    try:
        weights = load_file(source.folder() / WEIGHTS)
        network = _with_classes(len(weights["_fc.weight"]))
        network.load_state_dict(weights)
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise unreadable_error(source, error) from error
    return _chain(TUNED_MODEL, network, _TUNED_PREPROCESSING)


def _pretrained() -> Any:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise UnavailableError(
            "EfficientNet-Lite0 is not installed: pip install 'edgewright[vision]'",
            code="model_missing",
        ) from None
    network = EfficientNet.from_name(MODEL)
    network.load_state_dict(load_weights())
    return network


def _with_classes(classes: int) -> Any:
    network = _pretrained()
    network._fc = torch.nn.Linear(network._fc.in_features, classes)
    return network


def _chain(model: str, network: Any, preprocessing: Preprocessing) -> Chain:
    return Chain(model=model, network=network, blocks=_blocks(network), preprocessing=preprocessing)


def _blocks(network: Any) -> dict[str, Block]:
    """Return the parts of the network's ``forward``, which offers no points to cut it."""
    blocks: dict[str, Block] = {
        "stem": lambda x: network._swish(network._bn0(network._conv_stem(x)))
    }
    for index, block in enumerate(network._blocks, start=1):
        blocks[f"mbconv{index}"] = block
    blocks["classifier"] = lambda x: network._fc(
        network._avg_pooling(network._swish(network._bn1(network._conv_head(x)))).flatten(1)
    )
    return blocks
