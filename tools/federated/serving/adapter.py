"""The adapter of a trained model: one block, whose code runs only in the sandbox."""

from __future__ import annotations

import atexit
from collections.abc import Sequence

import numpy as np
from PIL import Image

from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.datasets.samples import to_array
from edgewright.tools.federated.serving.installed import InstalledModel
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.models.adapter import Features, check_point
from edgewright.tools.sandbox.limits import SandboxLimits

#: The sandbox's time limit counts from the start of the process, and servers run for a long time.
_YEAR_S = 365 * 24 * 3600.0


class TrainedModel:
    """A trained model as a chain of one block; implements ``PartitionAdapter``.

    Generated code offers no trustworthy blocks to cut between, so it runs as a whole: the only
    partition points are before and after it.

    Args:
        installed: The installed model.
    """

    block_names: Sequence[str] = ("network",)
    engine = EngineInfo(name="sandbox")

    def __init__(self, installed: InstalledModel) -> None:
        manifest = installed.manifest
        self.model = manifest.model
        self.revision = manifest.revision
        self.input_size = (manifest.height, manifest.width)
        self._channels = manifest.channels
        self._classes = len(manifest.classes)
        self._heads = manifest.heads
        self._weights = installed.weights
        sandboxed = SandboxedModel(
            installed.app, self._classes, limits=SandboxLimits(time_s=_YEAR_S)
        )
        self._sandboxed = sandboxed.__enter__()
        # The model lives until this worker process ends.
        atexit.register(sandboxed.__exit__, None, None, None)

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize an RGB image to ``input_size``, like the training data."""
        height, width = self.input_size
        if image.size == (width, height):
            return image
        array = to_array(image, height=height, width=width, channels=self._channels)
        return Image.fromarray(array.squeeze()).convert("RGB")

    def array(self, image: Image.Image) -> Features:
        """Convert a preprocessed image to float32 ``[1, channels, H, W]`` in 0 to 1."""
        height, width = self.input_size
        pixels = to_array(image, height=height, width=width, channels=self._channels)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis], np.float32) / 255

    def prepare(self, start: int, stop: int) -> None:
        """Only check the points: the sandbox starts when it runs; see ``PartitionAdapter``.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)

    def run(self, features: Features, start: int, stop: int) -> Features:
        """Run the network, or no block; see ``PartitionAdapter``.

        With personal heads, the result is the mean of their probabilities, as logarithms.

        Raises:
            InputError: The network's code failed.
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)
        if start == stop:
            return features
        pixels = np.rint(features.clip(0, 1) * 255).astype(np.uint8)
        images = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        heads = max(1, self._heads)
        logits = self._sandboxed.logits(
            np.repeat(images, heads, axis=0),
            self._weights,
            clients=np.arange(heads, dtype=np.int64),
        )
        logits = logits.astype(np.float64)
        log_totals = np.logaddexp.reduce(logits, axis=1, keepdims=True)
        mean = np.logaddexp.reduce(logits - log_totals, axis=0, keepdims=True) - np.log(heads)
        output: Features = mean.astype(np.float32)
        return output

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a point, without the batch dimension.

        Raises:
            NotFoundError: There is no such point (``unknown_point``).
        """
        check_point(self, point)
        return (self._channels, *self.input_size) if point == 0 else (self._classes,)
