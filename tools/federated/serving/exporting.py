"""Exporting a trained model to ONNX, inside the sandbox and compared with what it computed there.

The exported graph is data: a node runs it with ONNX Runtime, and needs neither PyTorch nor a
sandbox for it.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.validated import read_logits
from edgewright.tools.federated.serving.installed import TrainedModelManifest
from edgewright.tools.federated.serving.sandboxed_model import mean_log_probabilities
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument, read_answer
from edgewright.tools.settings import engine
from edgewright.tools.storage.scratch import scratch_folder

_LOG = logging.getLogger(__name__)

#: Maximum difference from what the model computed, as a share of the largest absolute value.
MAX_DIFFERENCE = 1e-4
_IMAGES = 8
_EXPORT_S = 300.0
_MAX_GRAPH_BYTES = 300_000_000
_PACKAGES = ("onnx", "onnxruntime")


def can_export() -> bool:
    """Return whether this machine writes and runs ONNX graphs."""
    return engine() != "torch" and all(
        importlib.util.find_spec(name) is not None for name in _PACKAGES
    )


def graph_if_exportable(manifest: TrainedModelManifest, app: Path, weights: Path) -> bytes | None:
    """Return a model as a graph, see ``export_graph``; None if it has to run in the sandbox."""
    if not can_export():
        return None
    try:
        return export_graph(manifest, app, weights)
    except InputError as error:
        _LOG.warning("%s; it runs in the sandbox instead", error.message)
        return None


def export_graph(manifest: TrainedModelManifest, app: Path, weights: Path) -> bytes:
    """Export a trained model.

    Args:
        manifest: Its manifest.
        app: Folder of the generated app.
        weights: Folder with its weights.

    Returns:
        An ONNX graph from ``float32 [1, channels, H, W]`` in 0 to 1 to the logarithms of the
        classes' probabilities, ``[1, classes]``; with personal heads, of their mean.

    Raises:
        InputError: The code cannot be exported, or the graph is not one that a node may run, or
            computes something else (``export_failed``).
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    from edgewright.tools.federated.records.graphs import read_graph

    shape = (manifest.channels, manifest.height, manifest.width)
    classes, heads = len(manifest.classes), max(1, manifest.heads)
    images = _images(manifest.height, manifest.width, manifest.channels)
    try:
        with scratch_folder() as folder:
            given, written, tried = (folder / name for name in ("in", "out", "tried"))
            for each in (given, written, tried):
                each.mkdir()
            shutil.copytree(weights, given / "weights")
            np.save(given / "images.npy", images, allow_pickle=False)
            program = _Program("export", app, written, (app, given, *weights_files()))
            program.run(
                images=given / "images.npy", weights=given / "weights", heads=manifest.heads,
                graph=written / "model.onnx", logits=written / "logits.npy",
            )  # fmt: skip
            per_head = read_logits(written / "logits.npy", (heads * _IMAGES, classes))
            graph = read_graph(
                written / "model.onnx",
                max_bytes=_MAX_GRAPH_BYTES,
                input_shape=shape,
                classes=classes,
            )
            (given / "model.onnx").write_bytes(graph)
            np.save(given / "pixels.npy", as_pixels(images), allow_pickle=False)
            _Program("graph", app, tried, (given,)).run(
                graph=given / "model.onnx", images=given / "pixels.npy", logits=tried / "logits.npy"
            )
            found = read_logits(tried / "logits.npy", (_IMAGES, classes))
    except InputError as error:
        raise InputError(
            f"{manifest.model} is not exported: {error.message}", code="export_failed"
        ) from error
    expected = mean_log_probabilities(per_head.reshape(heads, _IMAGES, classes))
    difference = float(np.abs(found - expected).max())
    if not difference <= MAX_DIFFERENCE * float(np.abs(expected).max()):
        raise InputError(
            f"{manifest.model} is not exported: its graph computes another output (it differs by "
            f"{difference:.2g})",
            code="export_failed",
        )
    return graph


def _images(*shape: int) -> NDArray[np.uint8]:
    """Return noise from black to bright: a graph follows one image's path through the code."""
    noise = np.random.default_rng(0).integers(0, 256, (_IMAGES, *shape))
    brightness = np.linspace(0, 1, _IMAGES).reshape(-1, 1, 1, 1)
    return np.asarray(noise * brightness, np.uint8)


def as_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert uint8 ``[N, H, W, C]`` to float32 ``[N, C, H, W]`` in 0 to 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / np.float32(255)


class _Program:
    """A program that runs once in the sandbox.

    Args:
        name: Name of its module.
        app: Folder of the generated app.
        scratch: The only folder that it may write to.
        read: What it may read.
    """

    def __init__(self, name: str, app: Path, scratch: Path, read: Sequence[Path]) -> None:
        self._module = f"edgewright.tools.federated.sandboxed.{name}"
        self._app = app
        self._policy = Policy(
            scratch=scratch, read=tuple(read), limits=SandboxLimits(time_s=_EXPORT_S)
        )

    def run(self, **extra: object) -> None:
        limits = self._policy.limits
        argument = program_argument(
            self._app,
            limits,
            **{
                name: str(value) if isinstance(value, Path) else value
                for name, value in extra.items()
            },
        )
        with find_sandbox().start(command(self._module, argument), self._policy) as process:
            line = process.receive(limits.time_s)
            if read_answer(line).get("done") is not True:
                fault = fault_from(line, process)
                raise InputError(fault.message, code=fault.code)
            process.wait(5)
