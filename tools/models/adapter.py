"""The partition adapter: a model seen as a chain of blocks that can be cut between any two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from PIL import Image


class PartitionAdapter(Protocol):
    """One model as a chain of blocks.

    A partition point ``p`` is the number of blocks that the head runs: ``p = 0`` sends the
    network's input, ``p = len(block_names)`` runs everything on the device. For every ``p``,
    ``tail(head(x, p), p)`` equals the uncut model's output within 1e-5.

    Attributes:
        model: Model id, e.g. ``efficientnet-lite0``.
        revision: Fingerprint of the weights (hexadecimal); head and tail must agree on it.
        block_names: Names of the blocks in order; the classifier or projection is the last.
        input_size: Height and width of the network's input in pixels.
    """

    model: str
    revision: str
    block_names: Sequence[str]
    input_size: tuple[int, int]

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB picture to ``input_size``.

        A picture that has that size already is returned as it is, so that a device can fit a
        picture before it sends it and the edge server sees the very same pixels.
        """
        ...

    def tensor(self, image: Image.Image) -> torch.Tensor:
        """Turn a fitted picture into the network's input, float32 ``[1, 3, H, W]``."""
        ...

    def run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run blocks ``start`` to ``stop - 1``; the head is ``run(x, 0, p)``.

        Args:
            features: float32, the output of block ``start - 1`` (or the input for 0).
            start: First block to run.
            stop: One past the last block to run.
        """
        ...

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a point, without the batch dimension."""
        ...
