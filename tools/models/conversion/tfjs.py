"""TensorFlow.js: reading weights and graph models, and converting the latter."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from edgewright.tools.models.conversion.operations import (
    Operand,
    Operations,
    UnconvertedError,
    computed,
    constant,
)
from edgewright.tools.models.conversion.writer import Array, GraphWriter, Tensor

_Node = dict[str, Any]
_UNARY = {"Sigmoid": "Sigmoid", "Sqrt": "Sqrt", "Relu": "Relu", "Identity": "Identity"}
_BINARY = {
    "Add": "Add",
    "AddV2": "Add",
    "BiasAdd": "Add",
    "Sub": "Sub",
    "Mul": "Mul",
    "RealDiv": "Div",
    "FloorDiv": "Div",  # of integers that are not negative
}


def read_weights(manifest: Iterable[dict[str, Any]], data: bytes) -> dict[str, Array]:
    """Read weights, and undo their quantisation.

    Args:
        manifest: The entries of ``weightsManifest``.
        data: The weights of all entries.

    Raises:
        ValueError: The data is shorter than the manifest says.
    """
    found: dict[str, Array] = {}
    start = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        quantised = entry.get("quantization")
        kind = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
        count = math.prod(entry["shape"])
        values = np.frombuffer(data, kind, count, start).reshape(entry["shape"])
        start += kind.itemsize * count
        if quantised and "scale" in quantised:
            values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        found[entry["name"]] = values if entry["dtype"] == "int32" else values.astype(np.float32)
    return found


def convert(folder: Path, writer: GraphWriter, image: Tensor) -> dict[str, Tensor]:
    """Convert a graph model.

    Args:
        folder: Folder with ``graph.json`` and ``graph.bin``.
        writer: Gets the nodes.
        image: The input, in the order of axes that the graph expects.

    Returns:
        The outputs by their names in the graph.

    Raises:
        UnconvertedError: The graph has an operation that cannot be converted.
    """
    model = json.loads((folder / "graph.json").read_bytes())
    weights = read_weights(model["weightsManifest"], (folder / "graph.bin").read_bytes())
    graph = _GraphModel(weights, writer, image)
    for node in model["modelTopology"]["node"]:
        graph.add(node)
    names = [name.partition(":")[0] for name in model["signature"]["outputs"]]
    return {name: graph.operations.tensor(graph.values[name]) for name in names}


class _GraphModel:
    def __init__(self, weights: dict[str, Array], writer: GraphWriter, image: Tensor) -> None:
        self.operations = Operations(writer)
        self.values: dict[str, Operand] = dict(weights)
        self._image = image
        self._handlers: dict[str, Callable[[_Node, list[Operand]], Operand | list[Tensor]]] = {
            "Conv2D": self._convolution,
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "FusedDepthwiseConv2dNative": self._convolution,
            "MaxPool": self._max_pool,
            "Pad": lambda node, values: self._pad(values),
            "PadV2": lambda node, values: self._pad(values),
            "ResizeBilinear": self._resize,
            "LeakyRelu": lambda node, values: self.operations.unary(
                "LeakyRelu", computed(values[0]), alpha=node["attr"]["alpha"]["f"]
            ),
            "SquaredDifference": lambda node, values: self._squared_difference(values),
            "ConcatV2": lambda node, values: self.operations.concatenate(
                [self.operations.tensor(one) for one in values[:-1]], int(constant(values[-1]))
            ),
            "SplitV": lambda node, values: self.operations.split(
                computed(values[0]), constant(values[1]).tolist(), int(constant(values[2]))
            ),
            "Transpose": lambda node, values: self.operations.transpose(
                computed(values[0]), constant(values[1]).tolist()
            ),
            "Reshape": lambda node, values: self.operations.reshape(
                computed(values[0]), constant(values[1]).tolist()
            ),
            "ExpandDims": lambda node, values: self._expand(
                computed(values[0]), int(constant(values[1]))
            ),
            "Squeeze": self._squeeze,
            "Pack": self._pack,
            "Unpack": self._unpack,
            "ArgMax": lambda node, values: self.operations.argmax(
                computed(values[0]), int(constant(values[1]))
            ),
            "GatherNd": lambda node, values: self.operations.gather(
                computed(values[0]), self.operations.tensor(values[1])
            ),
            "Cast": lambda node, values: self.operations.cast(
                computed(values[0]), integer=node["attr"]["DstT"]["type"].startswith("DT_INT")
            ),
            # The sizes of the default graph are known, so these only write zeros.
            "SparseToDense": lambda node, values: np.full(
                constant(values[1]).tolist(), int(constant(values[3]))
            ),
        }

    def add(self, node: _Node) -> None:
        """Add a node of the graph."""
        kind, name = node["op"], node["name"]
        if kind == "Const":
            return
        if kind == "Placeholder":
            self.values[name] = self._image
            return
        values = [self._value(source) for source in node.get("input", ())]
        if kind in _UNARY:
            result: Operand | list[Tensor] = self.operations.unary(
                _UNARY[kind], computed(values[0])
            )
        elif kind in _BINARY:
            result = self._binary(_BINARY[kind], values)
        elif kind in self._handlers:
            result = self._handlers[kind](node, values)
        else:
            raise UnconvertedError(f"operation {kind}")
        if isinstance(result, list):
            self.values |= {f"{name}:{index}": one for index, one in enumerate(result)}
            result = result[0]
        self.values[name] = result

    def _value(self, source: str) -> Operand:
        return self.values[source.removesuffix(":0")]

    def _binary(self, kind: str, values: list[Operand]) -> Operand:
        first, second = values
        if isinstance(first, Tensor) or isinstance(second, Tensor):
            return self.operations.binary(kind, first, second)
        if kind != "Add":
            raise UnconvertedError(f"{kind} of constants")
        return np.asarray(first + second)

    def _convolution(self, node: _Node, values: list[Operand]) -> Tensor:
        attributes = node["attr"]
        if _text(attributes["data_format"]["s"]) != "NHWC":
            raise UnconvertedError("a convolution with channels first")
        weights = constant(values[1])
        if "Depthwise" in node["op"]:
            height, width, inputs, times = weights.shape
            weights = weights.reshape(height, width, 1, inputs * times)
        fused = [_text(one) for one in attributes.get("fused_ops", {}).get("list", {}).get("s", ())]
        biased = fused[:1] == ["BiasAdd"]
        result = self.operations.convolution(
            computed(values[0]),
            weights,
            constant(values[2]) if biased else None,
            strides=_pair(attributes["strides"]),
            padding=_text(attributes["padding"]["s"]),
            dilations=_pair(attributes["dilations"]),
        )
        for kind in fused[biased:]:
            result = self.operations.activation(kind, result)
        return result

    def _max_pool(self, node: _Node, values: list[Operand]) -> Tensor:
        attributes = node["attr"]
        return self.operations.pool(
            "MaxPool",
            computed(values[0]),
            kernel=_pair(attributes["ksize"]),
            strides=_pair(attributes["strides"]),
            padding=_text(attributes["padding"]["s"]),
        )

    def _pad(self, values: list[Operand]) -> Tensor:
        value = float(constant(values[2])) if len(values) > 2 else 0.0
        return self.operations.pad(computed(values[0]), constant(values[1]), value)

    def _resize(self, node: _Node, values: list[Operand]) -> Tensor:
        if node["attr"]["align_corners"]["b"]:
            raise UnconvertedError("resizing with aligned corners")
        height, width = constant(values[1]).tolist()
        half_pixels = node["attr"]["half_pixel_centers"]["b"]
        return self.operations.resize(computed(values[0]), (height, width), half_pixels=half_pixels)

    def _squared_difference(self, values: list[Operand]) -> Tensor:
        difference = self.operations.binary("Sub", values[0], values[1])
        return self.operations.binary("Mul", difference, difference)

    def _expand(self, tensor: Tensor, axis: int) -> Tensor:
        axis %= len(tensor.shape) + 1
        return self.operations.reshape(tensor, (*tensor.shape[:axis], 1, *tensor.shape[axis:]))

    def _squeeze(self, node: _Node, values: list[Operand]) -> Tensor:
        tensor = computed(values[0])
        left_out = {int(axis) for axis in node["attr"]["squeeze_dims"]["list"]["i"]}
        shape = [size for axis, size in enumerate(tensor.shape) if axis not in left_out]
        return self.operations.reshape(tensor, shape)

    def _pack(self, node: _Node, values: list[Operand]) -> Tensor:
        axis = int(node["attr"]["axis"].get("i", 0))
        parts = [self._expand(self.operations.tensor(one), axis) for one in values]
        return self.operations.concatenate(parts, axis)

    def _unpack(self, node: _Node, values: list[Operand]) -> list[Tensor]:
        tensor, axis = computed(values[0]), int(node["attr"]["axis"].get("i", 0))
        shape = [size for index, size in enumerate(tensor.shape) if index != axis]
        parts = self.operations.split(tensor, [1] * tensor.shape[axis], axis)
        return [self.operations.reshape(part, shape) for part in parts]


def _text(value: str) -> str:
    return base64.b64decode(value).decode("ascii")


def _pair(attribute: dict[str, Any]) -> tuple[int, int]:
    _, height, width, _ = (int(value) for value in attribute["list"]["i"])
    return height, width
