"""The manifest of an exported model: ``manifest.json``, stored beside its graphs and weights."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.contracts.arms import Precision
from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.preprocessing import Preprocessing

MANIFEST = "manifest.json"
#: The weights of all graphs of one precision.
WEIGHTS = "weights.bin"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExportedBlock(_Frozen):
    """A block of an exported model.

    Attributes:
        name: Name of the block.
        shape: Shape of its output, without the batch dimension.
        macs: Multiply-accumulate operations for one image.
    """

    name: str
    shape: tuple[int, ...]
    macs: int


class ExportManifest(_Frozen):
    """An exported model: what is known of it, and the digests of its files.

    Graphs are named by the range of blocks that they run, such as ``fp32/0-5.onnx`` for the first
    five. There is one for each head, each tail and each single block; all read the weights in
    ``fp32/weights.bin``. A quantised model has the same files in ``int8``.

    Attributes:
        format: Version of this format.
        model: Model id.
        revision: Fingerprint of the weights that were exported, whatever the engine.
        source: Identity of the files with these weights; empty for a model that a package contains.
        licence: Licence of the weights.
        opset: Version of the ONNX operators.
        input_shape: Shape of the input, ``[3, H, W]``.
        blocks: The blocks in order.
        preprocessing: Converts images to the input.
        label_names: Names of the classes by index; empty if the expert knows them.
        quantised: Fingerprint of the quantisation, for each precision besides ``fp32``.
        files: Hexadecimal SHA-256 of each file, by its path in the folder.
    """

    format: Literal[2] = 2
    model: str
    revision: str
    source: str = ""
    licence: str = "not stated"
    opset: int
    input_shape: tuple[int, int, int]
    blocks: tuple[ExportedBlock, ...] = Field(min_length=1)
    preprocessing: Preprocessing
    label_names: tuple[str, ...] = ()
    quantised: dict[Precision, str] = Field(default_factory=dict)
    files: dict[str, str]


def graph_name(start: int, stop: int, precision: Precision = "fp32") -> str:
    """Return the path of the graph that runs blocks ``start`` to ``stop - 1``."""
    return f"{precision}/{start}-{stop}.onnx"


def weights_of(graph: str) -> str:
    """Return the path of the weights that a graph reads."""
    return str(PurePosixPath(graph).with_name(WEIGHTS))


def read_manifest(folder: Path) -> ExportManifest:
    """Read the manifest of an exported model.

    Raises:
        UnavailableError: It is missing or damaged (``export_unreadable``).
    """
    try:
        return ExportManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        raise unreadable_export(folder, MANIFEST) from None


def unreadable_export(folder: Path, name: str) -> UnavailableError:
    """Return the error for a missing, damaged or foreign file of an exported model."""
    return UnavailableError(
        f"{name} of the exported model {folder.name!r} is missing, damaged or of another release; "
        f"run 'edgewright models export {folder.name}' again where PyTorch is installed",
        code="export_unreadable",
    )


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
