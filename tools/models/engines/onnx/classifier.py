"""A classifier of the user's own as an ONNX file, cut along its graph.

The folder contains ``model.onnx`` and ``config.json``::

    {"label_names": ["cat", "dog"], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.onnx.graph import cut
from edgewright.tools.models.engines.onnx.manifest import ExportManifest, sha256_of
from edgewright.tools.models.engines.onnx.sessions import Session
from edgewright.tools.models.engines.onnx.writing import write_export
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.models.source import ModelSource, unreadable_error
from edgewright.tools.storage.atomic import new_folder

MODEL = "onnx"
FILE = "model.onnx"
_Channels = tuple[float, float, float]
#: Maximum difference between the whole model and its head and tail, as a share of the largest.
_MAX_DIFFERENCE = 1e-4


class Description(BaseModel):
    """The contents of ``config.json``.

    Attributes:
        label_names: Names of the classes by index.
        mean: Mean per channel, on the scale 0 to 1.
        std: Standard deviation per channel, on the scale 0 to 1.
        interpolation: Filter for resizing: ``bilinear`` or ``bicubic``.
        crop_margin: The centre is cropped, without this many pixels of each ``size + crop_margin``;
            None resizes the whole image.
        licence: Licence of the weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label_names: tuple[str, ...] = Field(min_length=2)
    mean: _Channels = (0.485, 0.456, 0.406)
    std: _Channels = (0.229, 0.224, 0.225)
    interpolation: str = Field(default="bilinear", pattern="^(bilinear|bicubic)$")
    crop_margin: int | None = Field(default=32, ge=0)
    licence: str = "not stated"


def export(source: ModelSource, folder: Path) -> ExportManifest:
    """Cut a classifier, and write it like an exported model.

    Args:
        source: Folder of the classifier.
        folder: Folder to write or replace.

    Raises:
        UnavailableError: The files are missing or damaged (``model_unreadable``), the graph cannot
            be cut (``model_not_traceable``), or it has another number of classes than label names
            (``model_incomplete``).
    """
    if source.revision:
        raise UnavailableError(
            f"{source.name} is on the hub; set EDGEWRIGHT_ONNX to a local folder",
            code="model_missing",
        )
    path = Path(source.location) / FILE
    try:
        text = (path.parent / "config.json").read_bytes()
        description = Description.model_validate_json(text)
        model = onnx.load(path)
    except (OSError, ValidationError, DecodeError, onnx.checker.ValidationError) as error:
        raise unreadable_error(source, error) from error
    graph = cut(model)
    if (classes := graph.blocks[-1].shape) != (len(description.label_names),):
        raise UnavailableError(
            f"{source.name!r} has an output of shape {classes} and "
            f"{len(description.label_names)} label names; correct its config.json",
            code="model_incomplete",
        )
    manifest = ExportManifest(
        model=MODEL,
        revision=sha256_of(path)[:16],
        source=source.identity,
        licence=description.licence,
        opset=next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx")),
        input_shape=graph.input_shape,
        blocks=graph.blocks,
        preprocessing=_preprocessing(description, graph.input_shape),
        label_names=description.label_names,
        files={},
    )
    with new_folder(folder) as part:
        manifest = write_export(graph.model, manifest, part)
        _compare(Session(path, threads=1), ExportedModel(part, threads=1))
    return manifest


def _preprocessing(description: Description, shape: tuple[int, int, int]) -> Preprocessing:
    red, green, blue = (255 * value for value in description.mean)
    spread = (255 * description.std[0], 255 * description.std[1], 255 * description.std[2])
    return Preprocessing(
        size=shape[1:],
        resample=Image.Resampling[description.interpolation.upper()],
        mean=(red, green, blue),
        deviation=spread,
        crop_margin=description.crop_margin,
    )


def _compare(whole: Session, exported: ExportedModel) -> None:
    """Compare a head and a tail with the file as it was, on noise."""
    last = len(exported.block_names)
    noise = np.random.default_rng(0).standard_normal((1, *exported.feature_shape(0)))
    expected = whole.run(noise.astype(np.float32))
    middle = exported.run(noise.astype(np.float32), 0, last // 2)
    difference = np.abs(exported.run(middle, last // 2, last) - expected).max()
    if not difference <= _MAX_DIFFERENCE * np.abs(expected).max():
        raise UnavailableError(
            f"the model computes another output once it is cut (it differs by {difference:.2g})",
            code="export_failed",
        )
