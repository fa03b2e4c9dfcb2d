"""The partition adapter protocol: a model as a chain of blocks that can be cut between any two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.arms import Precision
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.errors import NotFoundError

if TYPE_CHECKING:
    from PIL import Image

#: Features between two blocks, or the network's input or output.
Features = NDArray[np.float32]


class PartitionAdapter(Protocol):
    """One model as a chain of blocks.

    A partition point ``p`` is the number of blocks in the head: ``p = 0`` sends the network's
    input, ``p = len(block_names)`` runs the whole model on the device. For every ``p``,
    ``tail(head(x, p), p)`` equals the uncut model's output within 1e-5.

    Attributes:
        model: Model id, e.g. ``efficientnet-lite0``.
        revision: Hexadecimal fingerprint of the weights; head and tail must have the same one.
        block_names: Names of the blocks in order; the last is the classifier or projection.
        input_size: Height and width of the network's input in pixels.
        engine: The engine that runs the blocks.
    """

    model: str
    revision: str
    block_names: Sequence[str]
    input_size: tuple[int, int]
    engine: EngineInfo

    @property
    def variants(self) -> Mapping[Precision, Variant]:
        """The same model at other precisions; empty if there are none."""
        ...

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB image to ``input_size``.

        An image that already has this size is returned unchanged. So when a device preprocesses an
        image before sending it, the edge server works on exactly the same pixels.
        """
        ...

    def array(self, image: Image.Image) -> Features:
        """Convert a preprocessed image to the network's input, float32 ``[1, 3, H, W]``."""
        ...

    def prepare(self, start: int, stop: int) -> None:
        """Load what running blocks ``start`` to ``stop - 1`` needs, if it is not loaded yet.

        Loading happens once and is no part of the time that the blocks take.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        ...

    def run(self, features: Features, start: int, stop: int) -> Features:
        """Run blocks ``start`` to ``stop - 1``; the head is ``run(x, 0, p)``.

        Args:
            features: float32, the output of block ``start - 1`` (or the input for 0), with the
                batch dimension.
            start: First block to run.
            stop: One past the last block to run.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        ...

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a partition point, without the batch dimension.

        Raises:
            NotFoundError: There is no such point (``unknown_point``).
        """
        ...


@dataclass(frozen=True)
class Variant:
    """A model at another precision, with the same blocks.

    Attributes:
        adapter: Runs it.
        fingerprint: Hexadecimal fingerprint of the quantisation. Frames may cross between two nodes
            only if they have the same one.
    """

    adapter: PartitionAdapter
    fingerprint: str


#: The variants of a model that has none.
NO_VARIANTS: Mapping[Precision, Variant] = {}


def check_point(adapter: PartitionAdapter, point: int) -> None:
    """Check that a model has a partition point.

    Raises:
        NotFoundError: There is no such point (``unknown_point``).
    """
    last = len(adapter.block_names)
    if not 0 <= point <= last:
        raise NotFoundError(
            f"partition point {point} does not exist; {adapter.model} has points 0 to {last}",
            code="unknown_point",
        )
