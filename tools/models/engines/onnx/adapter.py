"""Running an exported model, cut or uncut."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from PIL import Image

from edgewright.tools.contracts.arms import Precision
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.models.adapter import Features, Variant, check_point
from edgewright.tools.models.engines.onnx.manifest import (
    graph_name,
    read_manifest,
    sha256_of,
    unreadable_export,
    weights_of,
)
from edgewright.tools.models.engines.onnx.sessions import Session, providers

#: Maximum number of loaded graphs with several blocks: a node uses the whole model, and a few heads
#: or tails at a time.
_RANGES = 6


class ExportedModel:
    """An exported model; implements ``PartitionAdapter``.

    A graph is verified and loaded when it is first used. Ranges of blocks without a graph of their
    own run block by block.

    Args:
        folder: Folder of the export.
        threads: Number of threads that run each operation; None means one per core.
        precision: Precision of the graphs to run.

    Attributes:
        label_names: Names of the classes by index; empty if the expert knows them.

    Raises:
        UnavailableError: The export is missing or damaged (``export_unreadable``), or a configured
            provider is not installed (``provider_missing``).
    """

    def __init__(
        self, folder: Path, *, threads: int | None = None, precision: Precision = "fp32"
    ) -> None:
        self._folder = folder
        self._precision = precision
        self._manifest = manifest = read_manifest(folder)
        self._threads = threads
        self._verified: set[str] = set()
        #: Sessions of single blocks, which together are as large as the model, and of ranges.
        self._blocks: dict[str, Session] = {}
        self._ranges: OrderedDict[str, Session] = OrderedDict()
        self.model = manifest.model
        self.revision = manifest.revision
        self.block_names: Sequence[str] = tuple(block.name for block in manifest.blocks)
        self.input_size = manifest.preprocessing.size
        self.label_names = manifest.label_names
        self.engine = EngineInfo(name="onnx", provider=providers()[0])

    @cached_property
    def variants(self) -> Mapping[Precision, Variant]:
        """The same model at other precisions; nothing of them is loaded yet."""
        return {
            precision: Variant(
                ExportedModel(self._folder, threads=self._threads, precision=precision), fingerprint
            )
            for precision, fingerprint in self._manifest.quantised.items()
        }

    def preprocess(self, image: Image.Image) -> Image.Image:
        """Resize and crop an RGB image to ``input_size``."""
        return self._manifest.preprocessing.preprocess(image)

    def array(self, image: Image.Image) -> Features:
        """Convert a preprocessed image to the network's input, float32 ``[1, 3, H, W]``."""
        return self._manifest.preprocessing.array(image)

    def prepare(self, start: int, stop: int) -> None:
        """Load the graphs of blocks ``start`` to ``stop - 1``; see ``PartitionAdapter``.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
            UnavailableError: A file is missing or damaged (``export_unreadable``).
        """
        self._sessions(start, stop)

    def run(self, features: Features, start: int, stop: int) -> Features:
        """Run blocks ``start`` to ``stop - 1``; see ``PartitionAdapter``.

        Raises:
            NotFoundError: There is no such block (``unknown_point``).
            UnavailableError: A file is missing or damaged (``export_unreadable``).
        """
        for session in self._sessions(start, stop):
            features = session.run(features)
        return features

    def feature_shape(self, point: int) -> tuple[int, ...]:
        """Return the shape of the features at a partition point, without the batch dimension.

        Raises:
            NotFoundError: There is no such point (``unknown_point``).
        """
        check_point(self, point)
        return self._manifest.blocks[point - 1].shape if point else self._manifest.input_shape

    def _sessions(self, start: int, stop: int) -> list[Session]:
        """Return the loaded graphs that run a range of blocks, in order."""
        check_point(self, start)
        check_point(self, stop)
        name = self._graph_name(start, stop)
        if stop > start + 1 and name in self._manifest.files:
            return [self._range(name)]
        return [self._block(self._graph_name(block, block + 1)) for block in range(start, stop)]

    def _graph_name(self, start: int, stop: int) -> str:
        return graph_name(start, stop, self._precision)

    def _block(self, name: str) -> Session:
        if name not in self._blocks:
            self._blocks[name] = self._load(name)
        return self._blocks[name]

    def _range(self, name: str) -> Session:
        if name not in self._ranges:
            self._ranges[name] = self._load(name)
            if len(self._ranges) > _RANGES:
                self._ranges.popitem(last=False)
        self._ranges.move_to_end(name)
        return self._ranges[name]

    def _load(self, name: str) -> Session:
        """Load a graph, after its digest and that of its weights were verified."""
        for path in (name, weights_of(name)):
            if path not in self._verified:
                self._verify(path)
        return Session(self._folder / name, threads=self._threads)

    def _verify(self, name: str) -> None:
        path = self._folder / name
        if not path.is_file() or sha256_of(path) != self._manifest.files.get(name):
            raise unreadable_export(self._folder, name)
        self._verified.add(name)


def load(folder: Path, threads: int | None) -> ExportedModel:
    """Load an export; each process loads one revision of it once.

    Args:
        folder: Folder of the export.
        threads: Number of threads that run each operation; None means one per core.

    Raises:
        UnavailableError: The export is missing or damaged (``export_unreadable``), or a configured
            provider is not installed (``provider_missing``).
    """
    return _loaded(folder, read_manifest(folder).revision, threads)


@cache
def _loaded(folder: Path, revision: str, threads: int | None) -> ExportedModel:
    return ExportedModel(folder, threads=threads)
