"""Exporting a chain of blocks to ONNX, verified against PyTorch."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.onnx.manifest import ExportedBlock, ExportManifest
from edgewright.tools.models.engines.onnx.writing import OPSET, point_name, write_export
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.macs import block_macs
from edgewright.tools.storage.atomic import new_folder

#: Maximum difference between the engines' outputs, as a share of the largest absolute value.
MAX_DIFFERENCE = 1e-4


def export_chain(
    chain: Chain, folder: Path, *, source: str = "", licence: str = "not stated"
) -> ExportManifest:
    """Export a model, and compare its output on noise with PyTorch's.

    Args:
        chain: The model.
        folder: Folder to write or replace.
        source: Identity of the files with its weights.
        licence: Licence of the weights.

    Raises:
        UnavailableError: The model uses operations that cannot be exported, or its output differs
            (``export_failed``).
    """
    manifest = describe(chain).model_copy(update={"source": source, "licence": licence})
    with new_folder(folder) as part:
        manifest = write_export(traced(chain, part), manifest, part)
        _compare(chain, ExportedModel(part, threads=1))
    return manifest


def describe(chain: Chain) -> ExportManifest:
    """Return the manifest of a model, without files."""
    return ExportManifest(
        model=chain.model,
        revision=chain.revision,
        opset=OPSET,
        input_shape=chain.feature_shape(0),
        blocks=tuple(
            ExportedBlock(name=name, shape=chain.feature_shape(point), macs=macs)
            for point, (name, macs) in enumerate(
                zip(chain.block_names, block_macs(chain), strict=True), 1
            )
        ),
        preprocessing=chain.preprocessing,
        label_names=tuple(getattr(chain, "label_names", ())),
        files={},
    )


class _Points(torch.nn.Module):
    """A chain that returns the features at every partition point, so that all of them have names.

    Args:
        chain: The model.
    """

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.network = chain.network
        self._chain = chain

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = []
        for block in range(len(self._chain.block_names)):
            features = self._chain.forward(features, block, block + 1)
            outputs.append(features)
        return tuple(outputs)


def traced(chain: Chain, folder: Path) -> onnx.ModelProto:
    """Return the model's graph, whose outputs are the features at points 1 to the last.

    Args:
        chain: The model.
        folder: Folder for a file that is removed again.
    """
    names = [point_name(point) for point in range(len(chain.block_names) + 1)]
    path = folder / "traced.onnx"
    try:
        # The newer exporter takes ten times as long and has no advantage for these models.
        with torch.inference_mode(), warnings.catch_warnings(action="ignore"):
            torch.onnx.export(
                _Points(chain).eval(),
                (torch.zeros(1, *chain.feature_shape(0)),),
                path,
                input_names=names[:1],
                output_names=names[1:],
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise UnavailableError(
            f"{chain.model} cannot be exported: {error}; run it with EDGEWRIGHT_ENGINE=torch",
            code="export_failed",
        ) from error
    model = onnx.load(path)
    path.unlink()
    return model


def _compare(chain: Chain, exported: ExportedModel) -> None:
    """Compare the outputs of both engines for noise, uncut."""
    last = len(chain.block_names)
    noise = np.random.default_rng(0).standard_normal((1, *chain.feature_shape(0)))
    expected = chain.run(noise.astype(np.float32), 0, last)
    difference = np.abs(exported.run(noise.astype(np.float32), 0, last) - expected).max()
    if not difference <= MAX_DIFFERENCE * np.abs(expected).max():
        raise UnavailableError(
            f"the exported {chain.model} computes another output than PyTorch (it differs by "
            f"{difference:.2g}); run it with EDGEWRIGHT_ENGINE=torch",
            code="export_failed",
        )
