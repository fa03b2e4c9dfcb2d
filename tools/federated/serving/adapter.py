"""The adapters of trained models: one block, exported or in the sandbox."""

from __future__ import annotations

import atexit
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.datasets.samples import to_array
from edgewright.tools.federated.serving.familiarity import Familiarity
from edgewright.tools.federated.serving.installed import InstalledModel
from edgewright.tools.models.adapter import NO_VARIANTS, Features, check_point
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.storage.scratch import scratch_folder

#: The sandbox's time limit counts from the start of the process, and servers run for a long time.
_YEAR_S = 365 * 24 * 3600.0


class TrainedNetwork(ABC):
    """A trained model as a chain of one block; implements ``PartitionAdapter``.

    Generated code offers no trustworthy blocks to cut between, so it runs as a whole: the only
    partition points are before and after it.

    Args:
        installed: The installed model.

    Raises:
        UnavailableError: Its files are not those that were installed (``model_damaged``).
    """

    block_names: Sequence[str] = ("network",)
    engine: EngineInfo
    variants = NO_VARIANTS

    def __init__(self, installed: InstalledModel) -> None:
        installed.verify()
        manifest = installed.manifest
        self.model = manifest.model
        self.revision = manifest.revision
        self.input_size = (manifest.height, manifest.width)
        self._channels = manifest.channels
        self._classes = len(manifest.classes)
        self._familiarity = (
            Familiarity.from_bytes(installed.familiarity.read_bytes())
            if installed.familiarity is not None
            else None
        )

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
        """Only check the points: nothing else is loaded later; see ``PartitionAdapter``.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)

    def run(self, features: Features, start: int, stop: int) -> Features:
        """Run the network, or no block; see ``PartitionAdapter``.

        The result is the logarithms of the classes' probabilities; with personal heads, of the mean
        of their probabilities. If it is known what the model's images look like, how unfamiliar the
        image is follows as one more number.

        Raises:
            InputError: The network's code failed.
            NotFoundError: There is no such block (``unknown_point``).
        """
        check_point(self, start)
        check_point(self, stop)
        if start == stop:
            return features
        output = self._run(features)
        if self._familiarity is None:
            return output
        unfamiliar = self._familiarity.margins(_images(features))[:, np.newaxis]
        return np.concatenate([output, unfamiliar.astype(np.float32)], axis=1)

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a point, without the batch dimension.

        Raises:
            NotFoundError: There is no such point (``unknown_point``).
        """
        check_point(self, point)
        if point == 0:
            return (self._channels, *self.input_size)
        return (self._classes + (self._familiarity is not None),)

    @abstractmethod
    def _run(self, features: Features) -> Features: ...


class ExportedNetwork(TrainedNetwork):
    """A trained model's graph in ONNX Runtime, without its code.

    Args:
        installed: The installed model, which has a graph.
        threads: Number of threads that run each operation; None means one per core.

    Raises:
        UnavailableError: Its files are not those that were installed (``model_damaged``).
    """

    def __init__(self, installed: InstalledModel, threads: int | None) -> None:
        from edgewright.tools.models.engines.onnx.sessions import Session, providers

        super().__init__(installed)
        assert installed.graph is not None
        self._session = Session(installed.graph, threads=threads)
        self.engine = EngineInfo(name="onnx", provider=providers()[0])

    def _run(self, features: Features) -> Features:
        return self._session.run(features)


class SandboxedNetwork(TrainedNetwork):
    """A trained model that could not be exported; its code runs only in the sandbox."""

    engine = EngineInfo(name="sandbox")

    def __init__(self, installed: InstalledModel) -> None:
        from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel

        super().__init__(installed)
        self._heads = max(1, installed.manifest.heads)
        with ExitStack() as stack:
            # A copy, so that what was verified is what runs, whatever happens to the files later.
            self._weights = stack.enter_context(scratch_folder()) / "weights"
            shutil.copytree(installed.weights, self._weights)
            sandboxed = SandboxedModel(
                installed.app, self._classes, limits=SandboxLimits(time_s=_YEAR_S)
            )
            self._sandboxed = stack.enter_context(sandboxed)
            # The model lives until this worker process ends.
            atexit.register(stack.pop_all().close)

    def _run(self, features: Features) -> Features:
        from edgewright.tools.federated.serving.sandboxed_model import mean_log_probabilities

        logits = self._sandboxed.logits(
            np.repeat(_images(features), self._heads, axis=0),
            self._weights,
            clients=np.arange(self._heads, dtype=np.int64),
        )
        return mean_log_probabilities(logits[:, np.newaxis])


def _images(features: Features) -> NDArray[np.uint8]:
    """Convert float32 ``[N, C, H, W]`` in 0 to 1 to uint8 ``[N, H, W, C]``."""
    pixels = np.rint(features.clip(0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
