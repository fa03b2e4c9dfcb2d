"""TensorFlow Lite: converting graphs of float32 numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from edgewright.tools.models.conversion.operations import (
    Operand,
    Operations,
    UnconvertedError,
    computed,
    constant,
)
from edgewright.tools.models.conversion.writer import Array, GraphWriter, Tensor

_KINDS = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_PADDINGS = {tflite.Padding.SAME: "SAME", tflite.Padding.VALID: "VALID"}
_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: "",
    tflite.ActivationFunctionType.RELU: "Relu",
    tflite.ActivationFunctionType.RELU6: "Relu6",
}
_Code = tflite.BuiltinOperator


def convert(folder: Path, writer: GraphWriter, image: Tensor) -> dict[str, Tensor]:
    """Convert a graph with one input.

    Args:
        folder: Folder with ``graph.tflite``.
        writer: Gets the nodes.
        image: The input, in the order of axes that the graph expects.

    Returns:
        The outputs by their names in the graph.

    Raises:
        UnconvertedError: The graph has an operation that cannot be converted.
    """
    model = tflite.Model.GetRootAs((folder / "graph.tflite").read_bytes(), 0)
    graph = model.Subgraphs(0)
    converted = _Graph(model, graph, writer)
    converted.values[int(graph.Inputs(0))] = image
    for index in range(graph.OperatorsLength()):
        converted.add(graph.Operators(index))
    outputs = [int(graph.Outputs(index)) for index in range(graph.OutputsLength())]
    return {
        graph.Tensors(one).Name().decode(): converted.operations.tensor(converted.values[one])
        for one in outputs
    }


class _Graph:
    def __init__(self, model: Any, graph: Any, writer: GraphWriter) -> None:
        self.operations = Operations(writer)
        self.values: dict[int, Operand] = _constants(model, graph)
        self._model = model
        self._handlers: dict[int, Callable[[Any, list[Operand]], Operand]] = {
            # Only weights are stored with half the bits.
            _Code.DEQUANTIZE: lambda options, values: np.asarray(values[0], np.float32),
            _Code.CONV_2D: self._convolution,
            _Code.DEPTHWISE_CONV_2D: self._depthwise,
            _Code.MAX_POOL_2D: self._max_pool,
            _Code.ADD: self._add,
            _Code.RELU: lambda options, values: self.operations.activation(
                "Relu", computed(values[0])
            ),
            _Code.PAD: lambda options, values: self.operations.pad(
                computed(values[0]), constant(values[1])
            ),
            _Code.RESHAPE: self._reshape,
            _Code.CONCATENATION: self._concatenate,
        }

    def add(self, operator: Any) -> None:
        """Add an operation of the graph."""
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind not in self._handlers or operator.OutputsLength() != 1:
            raise UnconvertedError(f"operation {kind} of TensorFlow Lite")
        inputs = [int(operator.Inputs(index)) for index in range(operator.InputsLength())]
        values = [self.values[one] for one in inputs if one >= 0]
        self.values[int(operator.Outputs(0))] = self._handlers[kind](
            operator.BuiltinOptions(), values
        )

    def _convolution(self, table: Any, values: list[Operand]) -> Tensor:
        options = _options(tflite.Conv2DOptions, table)
        return self._convolved(options, values, constant(values[1]).transpose(1, 2, 3, 0))

    def _depthwise(self, table: Any, values: list[Operand]) -> Tensor:
        options = _options(tflite.DepthwiseConv2DOptions, table)
        return self._convolved(options, values, constant(values[1]).transpose(1, 2, 0, 3))

    def _convolved(self, options: Any, values: list[Operand], weights: Array) -> Tensor:
        result = self.operations.convolution(
            computed(values[0]),
            weights,
            constant(values[2]) if len(values) > 2 else None,
            strides=(options.StrideH(), options.StrideW()),
            padding=_PADDINGS[options.Padding()],
            dilations=(options.DilationHFactor(), options.DilationWFactor()),
        )
        return self._activated(options, result)

    def _max_pool(self, table: Any, values: list[Operand]) -> Tensor:
        options = _options(tflite.Pool2DOptions, table)
        result = self.operations.pool(
            "MaxPool",
            computed(values[0]),
            kernel=(options.FilterHeight(), options.FilterWidth()),
            strides=(options.StrideH(), options.StrideW()),
            padding=_PADDINGS[options.Padding()],
        )
        return self._activated(options, result)

    def _add(self, table: Any, values: list[Operand]) -> Tensor:
        result = self.operations.binary("Add", values[0], values[1])
        return self._activated(_options(tflite.AddOptions, table), result)

    def _reshape(self, table: Any, values: list[Operand]) -> Tensor:
        if len(values) > 1:
            shape = constant(values[1])
        else:
            shape = _options(tflite.ReshapeOptions, table).NewShapeAsNumpy()
        return self.operations.reshape(computed(values[0]), shape.tolist())

    def _concatenate(self, table: Any, values: list[Operand]) -> Tensor:
        options = _options(tflite.ConcatenationOptions, table)
        result = self.operations.concatenate([computed(one) for one in values], options.Axis())
        return self._activated(options, result)

    def _activated(self, options: Any, tensor: Tensor) -> Tensor:
        kind = options.FusedActivationFunction()
        if kind not in _ACTIVATIONS:
            raise UnconvertedError(f"activation {kind} of TensorFlow Lite")
        return self.operations.activation(_ACTIVATIONS[kind], tensor)


def _constants(model: Any, graph: Any) -> dict[int, Operand]:
    """Return the arrays that the graph holds, by their tensors."""
    found: dict[int, Operand] = {}
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        buffer = model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            continue
        if tensor.Type() not in _KINDS:
            raise UnconvertedError(f"numbers of type {tensor.Type()} of TensorFlow Lite")
        shape = [tensor.Shape(axis) for axis in range(tensor.ShapeLength())]
        data = buffer.DataAsNumpy().tobytes()
        found[index] = np.frombuffer(data, _KINDS[tensor.Type()]).reshape(shape)
    return found


def _options(kind: Any, table: Any) -> Any:
    options = kind()
    if table is not None:
        options.Init(table.Bytes, table.Pos)
    return options
