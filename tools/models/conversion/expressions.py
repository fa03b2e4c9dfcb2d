"""face-api's network for facial expressions, of which the package holds the weights alone.

Four dense blocks of depthwise separable convolutions, then one layer: the structure that face-api
1.7 builds in JavaScript.
"""

from __future__ import annotations

import json
from pathlib import Path

from edgewright.tools.models.conversion.operations import Operations
from edgewright.tools.models.conversion.tfjs import read_weights
from edgewright.tools.models.conversion.writer import Array, GraphWriter, Tensor

_BLOCKS = 4
_CONVOLUTIONS = 4


def convert(folder: Path, writer: GraphWriter, image: Tensor) -> dict[str, Tensor]:
    """Build the network.

    Args:
        folder: Folder with ``graph.json``, the manifest of the weights, and ``graph.bin``.
        writer: Gets the nodes.
        image: The input, ``[1, 112, 112, 3]``.

    Returns:
        ``probabilities``: one for each of neutral, happy, sad, angry, fearful, disgusted and
        surprised.
    """
    manifest = json.loads((folder / "graph.json").read_bytes())
    network = _Network(read_weights(manifest, (folder / "graph.bin").read_bytes()), writer)
    for block in range(_BLOCKS):
        image = network.block(image, f"dense{block}")
    return {"probabilities": network.probabilities(image)}


class _Network:
    def __init__(self, weights: dict[str, Array], writer: GraphWriter) -> None:
        self._weights = weights
        self._writer = writer
        self._operations = Operations(writer)

    def block(self, image: Tensor, name: str) -> Tensor:
        """Add a block: each of its convolutions reads the sum of what came before in it."""
        total = self._relu(self._convolution(image, f"{name}/conv0", step=2))
        outputs = total
        for index in range(1, _CONVOLUTIONS):
            output = self._convolution(outputs, f"{name}/conv{index}", step=1)
            total = self._operations.binary("Add", total, output)
            outputs = self._relu(total)
        return outputs

    def probabilities(self, image: Tensor) -> Tensor:
        """Add the last layer."""
        pooled = self._operations.pool(
            "AveragePool", image, kernel=(7, 7), strides=(2, 2), padding="VALID"
        )
        flat = self._operations.reshape(pooled, (1, -1))
        layer = [self._writer.constant(self._weights[name]) for name in ("fc/weights", "fc/bias")]
        logits = self._writer.node("Gemm", [flat.name, *layer])
        classes = self._weights["fc/bias"].size
        return Tensor(self._writer.node("Softmax", [logits], axis=1), (1, classes), (0, 1))

    def _convolution(self, image: Tensor, name: str, *, step: int) -> Tensor:
        bias = self._weights[f"{name}/bias"]
        strides = step, step
        if (filters := self._weights.get(f"{name}/filters")) is not None:
            return self._operations.convolution(
                image, filters, bias, strides=strides, padding="SAME"
            )
        depthwise = self._weights[f"{name}/depthwise_filter"].transpose(0, 1, 3, 2)
        filtered = self._operations.convolution(
            image, depthwise, None, strides=strides, padding="SAME"
        )
        pointwise = self._weights[f"{name}/pointwise_filter"]
        return self._operations.convolution(
            filtered, pointwise, bias, strides=(1, 1), padding="VALID"
        )

    def _relu(self, tensor: Tensor) -> Tensor:
        return self._operations.activation("Relu", tensor)
