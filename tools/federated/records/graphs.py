"""Validated reading of an ONNX graph that a sandbox wrote.

The graph is data that a node runs without a sandbox. So it is built again from the parts that a
classifier needs, and nothing else is copied: no operator that reads files, repeats a part or calls
code, and no weights outside the graph.
"""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, NodeProto, TensorProto, helper

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.validated import read_file

#: Versions of the operators and of the file format.
_OPSET, _IR_VERSION = 17, 8
_MAX_NODES = 20_000
_MAX_DIMENSIONS = 8
_MAX_ATTRIBUTES = 32
#: Operators of the standard domain that the networks of classifiers are exported as.
_OPERATORS = frozenset({
    "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat",
    "Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Div", "Elu", "Equal", "Erf", "Exp",
    "Expand", "Flatten", "Floor", "Gather", "Gemm", "GlobalAveragePool", "GlobalMaxPool",
    "Greater", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization",
    "LayerNormalization", "LeakyRelu", "Less", "Log", "LogSoftmax", "MatMul", "Max", "MaxPool",
    "Mean", "Min", "Mul", "Neg", "Not", "PRelu", "Pad", "Pow", "Reciprocal", "ReduceL2",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape",
    "Selu", "Shape", "Sigmoid", "Sign", "Slice", "Softmax", "Softplus", "Softsign", "Split",
    "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
_ATTRIBUTES = frozenset(
    (AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.FLOATS, AttributeProto.INTS,
     AttributeProto.STRING, AttributeProto.TENSOR)
)  # fmt: skip
#: Bytes of a number, by type.
_SIZES: dict[int, int] = {TensorProto.FLOAT: 4, TensorProto.INT64: 8, TensorProto.BOOL: 1}


def read_graph(
    path: Path, *, max_bytes: int, input_shape: tuple[int, int, int], classes: int
) -> bytes:
    """Read a graph that maps one image to its logits.

    Args:
        path: The file.
        max_bytes: Maximum size of the file.
        input_shape: Shape of its input without the batch dimension, which is 1.
        classes: Number of classes.

    Returns:
        The graph, as this program writes it.

    Raises:
        InputError: It is not such a graph, or has something that no classifier needs
            (``bad_result``).
    """
    data = read_file(path, max_bytes)
    try:
        return _rebuilt(onnx.ModelProto.FromString(data), input_shape, classes)
    except InputError:
        raise
    except (DecodeError, TypeError, ValueError):  # names that are no text, numbers out of range
        raise _invalid("is no ONNX graph") from None


def _rebuilt(model: onnx.ModelProto, input_shape: tuple[int, int, int], classes: int) -> bytes:
    graph = model.graph
    if len(graph.node) > _MAX_NODES or len(graph.initializer) > _MAX_NODES:
        raise _invalid("has too many operations or weights")
    if len(graph.input) != 1 or len(graph.output) != 1 or model.functions:
        raise _invalid("has more than one input, one output and operations")
    built = helper.make_graph(
        [_node(node) for node in graph.node],
        "model",
        [_value(graph.input[0].name, (1, *input_shape))],
        [_value(graph.output[0].name, (1, classes))],
        [_tensor(tensor) for tensor in graph.initializer],
    )
    opset = helper.make_opsetid("", _OPSET)
    written: bytes = helper.make_model(
        built, opset_imports=[opset], ir_version=_IR_VERSION
    ).SerializeToString()
    return written


def _value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _node(node: NodeProto) -> NodeProto:
    if node.domain not in ("", "ai.onnx") or node.op_type not in _OPERATORS:
        raise _invalid(f"has the operation {node.op_type[:40]!r}")
    if len(node.attribute) > _MAX_ATTRIBUTES:
        raise _invalid("has an operation with too many attributes")
    copy = helper.make_node(node.op_type, list(node.input), list(node.output), name=node.name)
    for attribute in node.attribute:
        if attribute.type not in _ATTRIBUTES or attribute.ref_attr_name:
            raise _invalid(f"has an operation with the attribute {attribute.name[:40]!r}")
        value = helper.get_attribute_value(attribute)
        if isinstance(value, TensorProto):
            value = _tensor(value)
        if attribute.type in (AttributeProto.FLOATS, AttributeProto.INTS):
            value = list(value)
        copy.attribute.append(
            helper.make_attribute(attribute.name, value, attr_type=attribute.type)
        )
    return copy


def _tensor(tensor: TensorProto) -> TensorProto:
    size = _SIZES.get(tensor.data_type)
    outside = tensor.external_data or tensor.data_location != TensorProto.DEFAULT
    if size is None or outside or not tensor.HasField("raw_data"):
        raise _invalid("has weights of another type, or outside the graph")
    dimensions = list(tensor.dims)
    if len(dimensions) > _MAX_DIMENSIONS or min(dimensions, default=0) < 0:
        raise _invalid("has weights of an impossible shape")
    if math.prod(dimensions) * size != len(tensor.raw_data):
        raise _invalid("has weights whose size does not fit their shape")
    return TensorProto(
        name=tensor.name, data_type=tensor.data_type, dims=dimensions, raw_data=tensor.raw_data
    )


def _invalid(reason: str) -> InputError:
    return InputError(f"the sandbox's output was rejected: the graph {reason}", code="bad_result")
