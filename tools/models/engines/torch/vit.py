"""Vision transformers for classification, from a local folder or the hub."""

from __future__ import annotations

from functools import cache
from typing import Any

from transformers import ViTForImageClassification, ViTImageProcessor

from edgewright.tools.models.engines.torch.chain import Block, Chain
from edgewright.tools.models.engines.torch.pretrained import (
    PROCESSOR_FILES,
    load_network,
    load_part,
    preprocessing_of,
)
from edgewright.tools.models.source import ModelSource

MODEL = "vit"


class ViT(Chain):
    """A vision transformer cut between its layers.

    Attributes:
        label_names: Names of the classes by index, from the model's configuration.
    """

    def __init__(self, source: ModelSource) -> None:
        network = load_network(ViTForImageClassification, source)
        processor = load_part(ViTImageProcessor, source, files=PROCESSOR_FILES)
        super().__init__(
            model=MODEL,
            network=network,
            blocks=_blocks(network),
            preprocessing=preprocessing_of(processor, network.config.image_size, source),
        )
        names = network.config.id2label
        self.label_names = tuple(str(names[index]) for index in range(len(names)))


@cache
def load(source: ModelSource) -> ViT:
    """Load a model once per process; its expert reads the label names of the same instance.

    Raises:
        UnavailableError: The model is missing or incomplete; the message says what is missing.
    """
    return ViT(source)


def _blocks(network: Any) -> dict[str, Block]:
    vit = network.vit
    blocks: dict[str, Block] = {"embeddings": vit.embeddings}
    blocks |= {f"layer{index}": layer for index, layer in enumerate(vit.layers, start=1)}
    # The layer norm acts on each token separately, so only the class token needs it.
    blocks["classifier"] = lambda x: network.classifier(vit.layernorm(x)[:, 0])
    return blocks
