"""Converting a model of the catalogue, and comparing it with what the original computed."""

from __future__ import annotations

import hashlib
import importlib
import json
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import CatalogueModel, Conversion
from edgewright.tools.models.conversion.operations import IMAGE, Operations, UnconvertedError
from edgewright.tools.models.conversion.writer import INPUT, OPSET, GraphWriter, Tensor
from edgewright.tools.models.engines.onnx.graph import cut
from edgewright.tools.models.engines.onnx.manifest import ExportManifest, graph_name
from edgewright.tools.models.engines.onnx.writing import write_export
from edgewright.tools.models.preprocessing import Preprocessing

_MODULES = {"tfjs": "tfjs", "tflite": "tflite", "face-api": "expressions"}
_PACKAGE = "edgewright.tools.models.conversion"
#: Maximum difference from the original's output, as a share of its largest number.
_MAX_DIFFERENCE = 1e-3


def convert(folder: Path, conversion: Conversion) -> onnx.ModelProto:
    """Convert a graph.

    Args:
        folder: Folder with the files of the graph.
        conversion: What the graph expects and returns.

    Returns:
        A model with one input, float32 ``[1, 3, H, W]`` of red, green and blue from 0 to 255, and
        one output.

    Raises:
        UnavailableError: The files are damaged, or an operation is not known (``not_converted``).
    """
    writer = GraphWriter()
    operations = Operations(writer)
    image = _prepared(operations, conversion)
    module = importlib.import_module(f"{_PACKAGE}.{_MODULES[conversion.format]}")
    try:
        found: dict[str, Tensor] = module.convert(folder, writer, image)
        columns = [
            reduce(lambda one, other: operations.concatenate([one, other], 1), rows)
            for rows in ([found[name] for name in names] for names in conversion.outputs)
        ]
        output = columns[0] if len(columns) == 1 else operations.concatenate(columns, -1)
    except (UnconvertedError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UnavailableError(
            f"the graph cannot be converted: {error}", code="not_converted"
        ) from error
    return writer.finished(conversion.size, output)


def write(model: CatalogueModel, graph: onnx.ModelProto, folder: Path) -> str:
    """Write a converted graph, with one for each head and tail if the model can be cut.

    Args:
        model: The model.
        graph: The graph.
        folder: Folder to write to; it exists.

    Returns:
        Path of the whole graph in the folder.
    """
    if not model.cut:
        (folder / "model.onnx").write_bytes(graph.SerializeToString())
        return "model.onnx"
    identity = model.model_dump_json(include={"name", "sources", "conversion"})
    cut_graph = cut(graph)
    manifest = ExportManifest(
        model=model.name,
        revision=hashlib.sha256(identity.encode()).hexdigest()[:16],
        licence=model.licence,
        opset=OPSET,
        input_shape=cut_graph.input_shape,
        blocks=cut_graph.blocks,
        preprocessing=Preprocessing(
            size=cut_graph.input_shape[1:],
            resample=Image.Resampling.BILINEAR,
            mean=(0.0, 0.0, 0.0),
            deviation=(1.0, 1.0, 1.0),
        ),
        files={},
    )
    write_export(cut_graph.model, manifest, folder)
    return graph_name(0, len(manifest.blocks))


def _prepared(operations: Operations, conversion: Conversion) -> Tensor:
    """Return the input as the graph expects it."""
    image = Tensor(INPUT, (1, *conversion.size, 3), IMAGE)
    if conversion.blue_first:
        image = operations.concatenate(operations.split(image, (1, 1, 1), 3)[::-1], 3)
    if any(conversion.mean):
        image = operations.binary("Sub", image, np.array(conversion.mean, np.float32))
    if conversion.deviation != (1, 1, 1):
        scale = 1 / np.array(conversion.deviation, np.float32)
        image = operations.binary("Mul", image, scale)
    return operations.transpose(image, (0, 3, 1, 2)) if conversion.channels_first else image


def example(size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the image, ``[1, 3, H, W]``, on which converted graphs are compared with originals.

    Rings of growing frequency, of whole numbers that every language computes alike.
    """
    channel, row, column = np.ogrid[:3, : size[0], : size[1]]
    rings = column * column + 3 * row * row + 17 * channel * column + 29 * channel * row
    pixels: NDArray[np.float32] = (rings // 64 % 256).astype(np.float32)[np.newaxis]
    return pixels


def sampled(output: NDArray[np.float32]) -> dict[str, Any]:
    """Return the shape of an output, its largest magnitude, and some of its numbers."""
    flat = output.ravel().astype(float)
    step = max(1, flat.size // 97)
    return {
        "shape": list(output.shape),
        "largest": float(np.abs(flat).max()),
        "step": step,
        "values": [float(f"{value:.7g}") for value in flat[::step]],
    }


def compare(name: str, file: Path, size: tuple[int, int]) -> float:
    """Compare a converted graph with what the original computed for ``example``.

    Args:
        name: Name of the model in the catalogue.
        file: The converted graph.
        size: Height and width of its input.

    Returns:
        The largest difference, as a share of the output's largest magnitude.

    Raises:
        UnavailableError: The outputs differ (``not_converted``).
    """
    text = files("edgewright.tools.models").joinpath("references.json").read_text("utf-8")
    expected = json.loads(text)[name]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    output = session.run(None, {session.get_inputs()[0].name: example(size)})[0]
    found = sampled(output)
    if found["shape"] != expected["shape"]:
        raise _differs(name, f"its shape is {found['shape']} instead of {expected['shape']}")
    differences = np.abs(np.subtract(found["values"], expected["values"]))
    share = float(differences.max() / expected["largest"])
    if not share <= _MAX_DIFFERENCE:
        raise _differs(name, f"it differs by {share:.2g} of the largest number")
    return share


def _differs(name: str, how: str) -> UnavailableError:
    return UnavailableError(
        f"{name} computes another output once it is converted: {how}", code="not_converted"
    )
