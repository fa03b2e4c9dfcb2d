"""Writing an exported model: one graph for each head, tail and block, which share their weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx.external_data_helper import set_external_data
from onnx.utils import Extractor

from edgewright.tools.contracts.arms import Precision
from edgewright.tools.models.engines.onnx.manifest import (
    MANIFEST,
    ExportManifest,
    graph_name,
    sha256_of,
    weights_of,
)
from edgewright.tools.models.engines.onnx.quantising import calibration_of, fits, quantise

#: Version of the ONNX operators.
OPSET = 17
#: Smaller tensors, such as shapes, stay in the graphs: loading needs their values.
MIN_EXTERNAL_BYTES = 1024
#: So that weights can be mapped into memory.
_ALIGNMENT = 4096


def point_name(point: int) -> str:
    """Return the name of the features at a partition point; those at 0 are the input."""
    return f"point{point}"


def write_export(model: onnx.ModelProto, manifest: ExportManifest, folder: Path) -> ExportManifest:
    """Write graphs, weights and manifest; quantised graphs as well, if a calibration ships.

    Args:
        model: The whole model, with the features at every partition point named by ``point_name``.
        manifest: Its description, without files.
        folder: Folder to write to; it exists and is empty.

    Returns:
        The manifest with the digests of all files.
    """
    last = len(manifest.blocks)
    models: dict[Precision, onnx.ModelProto] = {"fp32": model}
    quantised: dict[Precision, str] = {}
    calibration = calibration_of(manifest.model, manifest.revision)
    if calibration is not None and fits(model, calibration):
        models["int8"] = quantise(model, calibration)
        quantised["int8"] = calibration.fingerprint
    files: dict[str, str] = {}
    for precision, one in models.items():
        files |= _write_graphs(one, last, precision, folder)
    manifest = manifest.model_copy(update={"files": files, "quantised": quantised})
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    return manifest


def _write_graphs(
    model: onnx.ModelProto, last: int, precision: Precision, folder: Path
) -> dict[str, str]:
    """Write the graphs and weights of one precision; return the digests of the files by path."""
    weights = weights_of(graph_name(0, last, precision))
    (folder / weights).parent.mkdir()
    _move_weights(model, folder / weights)
    extractor = Extractor(model)
    files = {weights: sha256_of(folder / weights)}
    for start, stop in _ranges(last):
        graph = extractor.extract_model([point_name(start)], [point_name(stop)])
        del graph.graph.value_info[:]
        name = graph_name(start, stop, precision)
        (folder / name).write_bytes(graph.SerializeToString())
        files[name] = sha256_of(folder / name)
    return files


def _ranges(last: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of all heads, tails and single blocks, each once."""
    blocks = range(last)
    yield from dict.fromkeys(
        [
            *((0, stop) for stop in range(1, last + 1)),
            *((start, last) for start in blocks),
            *((block, block + 1) for block in blocks),
        ]
    )


def _move_weights(model: onnx.ModelProto, path: Path) -> None:
    """Move a model's large tensors to a file, which all graphs extracted from it will share."""
    with path.open("wb") as file:
        for tensor in model.graph.initializer:
            data = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(data) < MIN_EXTERNAL_BYTES:
                continue
            file.write(bytes(-file.tell() % _ALIGNMENT))
            tensor.raw_data = data
            set_external_data(tensor, path.name, file.tell(), len(data))
            file.write(data)
            tensor.ClearField("raw_data")
