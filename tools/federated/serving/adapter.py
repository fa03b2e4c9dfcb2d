"""A model that was trained here: one block, whose code runs in the sandbox alone."""

from __future__ import annotations

import atexit
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from edgewright.tools.datasets.samples import to_array
from edgewright.tools.errors import NotFoundError
from edgewright.tools.federated.serving.installed import InstalledModel
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.sandbox.limits import SandboxLimits

#: The sandbox counts its time from the start of the process, and a server runs for long.
_YEAR_S = 365 * 24 * 3600.0


class TrainedModel:
    """A trained model as a chain of one block; implements ``PartitionAdapter``.

    Code that a coder wrote gives no blocks to cut between that could be trusted, so it runs
    whole: the only points are before it and behind it.

    Args:
        installed: Where it lies and what it takes.
    """

    block_names: Sequence[str] = ("network",)

    def __init__(self, installed: InstalledModel) -> None:
        manifest = installed.manifest
        self.model = manifest.model
        self.revision = manifest.revision
        self.input_size = (manifest.height, manifest.width)
        self._channels = manifest.channels
        self._classes = len(manifest.classes)
        self._heads = manifest.heads
        self._weights = installed.weights
        confined = SandboxedModel(
            installed.app, self._classes, limits=SandboxLimits(time_s=_YEAR_S)
        )
        self._confined = confined.__enter__()
        # The process that holds a model ends with it.
        atexit.register(confined.__exit__, None, None, None)

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Scale an RGB picture to ``input_size``, as the training data were."""
        height, width = self.input_size
        if image.size == (width, height):
            return image
        array = to_array(image, height=height, width=width, channels=self._channels)
        return Image.fromarray(array.squeeze()).convert("RGB")

    def tensor(self, image: Image.Image) -> torch.Tensor:
        """Turn a fitted picture into float32 ``[1, channels, H, W]`` in 0 to 1."""
        height, width = self.input_size
        array = to_array(image, height=height, width=width, channels=self._channels)
        return torch.from_numpy(array.transpose(2, 0, 1)[None].copy()).float() / 255

    def run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run the network, or nothing; see ``PartitionAdapter``.

        With personal heads the answer is the mean of what all of them say.

        Raises:
            InputError: The network's code failed.
            NotFoundError: No such block (``unknown_point``).
        """
        self._check_point(start)
        self._check_point(stop)
        if start == stop:
            return features
        pixels = (features.clamp(0, 1) * 255).round().to(torch.uint8)
        images = pixels.permute(0, 2, 3, 1).contiguous().numpy()
        heads = max(1, self._heads)
        logits = self._confined.logits(
            np.repeat(images, heads, axis=0),
            self._weights,
            clients=np.arange(heads, dtype=np.int64),
        )
        shares = torch.from_numpy(logits.copy()).log_softmax(dim=1)
        return (shares.logsumexp(dim=0) - float(np.log(heads)))[None]

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape at a point, without the batch dimension.

        Raises:
            NotFoundError: No such point (``unknown_point``).
        """
        self._check_point(point)
        return (self._channels, *self.input_size) if point == 0 else (self._classes,)

    def _check_point(self, point: int) -> None:
        if point not in (0, 1):
            raise NotFoundError(
                f"partition point {point} does not exist; {self.model} has the points 0 and 1",
                code="unknown_point",
            )
