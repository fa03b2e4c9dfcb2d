"""Base class of the adapters: a sequence of blocks that run one after another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image

from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.models.adapter import NO_VARIANTS, Features, check_point
from edgewright.tools.models.preprocessing import Preprocessing

Block = Callable[[torch.Tensor], torch.Tensor]


class Chain:
    """A model as a chain of named blocks; implements ``PartitionAdapter``.

    Attributes:
        network: The module that owns the weights.
        preprocessing: Converts images to the network's input.

    Args:
        model: Model id.
        network: The module that owns the weights; it is frozen and put into evaluation mode.
        blocks: The blocks in order, by name.
        preprocessing: Converts images to the network's input.
    """

    engine = EngineInfo(name="torch")
    variants = NO_VARIANTS

    def __init__(
        self,
        *,
        model: str,
        network: torch.nn.Module,
        blocks: Mapping[str, Block],
        preprocessing: Preprocessing,
    ) -> None:
        self.model = model
        self.block_names: Sequence[str] = tuple(blocks)
        self.input_size = preprocessing.size
        self.revision = fingerprint(network.state_dict())
        # Frozen but differentiable: codecs are trained through the tail of a frozen model.
        self.network: Any = network.eval().requires_grad_(False)
        self.preprocessing = preprocessing
        self._blocks = tuple(blocks.values())

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB image to ``input_size``."""
        return self.preprocessing.preprocess(image)

    def array(self, image: Image.Image) -> Features:
        """Convert a preprocessed image to the network's input, float32 ``[1, 3, H, W]``."""
        return self.preprocessing.array(image)

    def tensor(self, image: Image.Image) -> torch.Tensor:
        """Convert a preprocessed image to the network's input; ``array`` as a tensor."""
        return torch.from_numpy(self.preprocessing.array(image))

    def run(self, features: Features, start: int, stop: int) -> Features:
        """Run blocks ``start`` to ``stop - 1``; see ``PartitionAdapter``."""
        with torch.inference_mode():
            output: Features = self.forward(torch.from_numpy(features), start, stop).numpy()
        return output

    def forward(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run blocks ``start`` to ``stop - 1``, differentiably, for training.

        Args:
            features: float32, the output of block ``start - 1`` (or the input for 0).
            start: First block to run.
            stop: One past the last block to run.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)
        for block in self._blocks[start:stop]:
            features = block(features)
        return features

    def prepare(self, start: int, stop: int) -> None:
        """Only check the points: all blocks are loaded; see ``PartitionAdapter``.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a partition point, without the batch dimension.

        Raises:
            NotFoundError: There is no such point (``unknown_point``).
        """
        check_point(self, point)
        return self._shapes[point]

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes at all points, from one forward pass over a blank image."""
        shapes: list[tuple[int, ...]] = []
        with torch.inference_mode():
            features = torch.zeros(1, 3, *self.input_size)
            shapes.append(tuple(features.shape[1:]))
            for block in self._blocks:
                features = block(features)
                shapes.append(tuple(features.shape[1:]))
        return tuple(shapes)


def use_threads(threads: int) -> None:
    """Set the number of threads that run each operation, for all models of this process."""
    torch.set_num_threads(threads)


def fingerprint(weights: Mapping[str, torch.Tensor]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 over all names and values.

    The same weights have the same fingerprint on every machine, whatever file they came from.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
