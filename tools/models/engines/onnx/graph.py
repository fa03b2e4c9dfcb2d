"""Cutting any ONNX graph: its operations, and its cuts as named tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import onnx
from onnx import NodeProto, TensorProto, helper, shape_inference

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.cutting import Head, Operation, find_heads, live_outputs
from edgewright.tools.models.engines.onnx.manifest import ExportedBlock
from edgewright.tools.models.engines.onnx.writing import point_name


@dataclass(frozen=True)
class CutGraph:
    """A model whose features at every partition point have a name.

    Attributes:
        model: The model, for ``write_export``.
        input_shape: Shape of its input, ``[3, H, W]``.
        blocks: Its blocks.
    """

    model: onnx.ModelProto
    input_shape: tuple[int, int, int]
    blocks: tuple[ExportedBlock, ...]


def cut(model: onnx.ModelProto) -> CutGraph:
    """Find the partition points of a classifier, and name the features there.

    Several tensors that cross a cut are flattened and concatenated before it, and restored after
    it, so that one tensor is sent.

    Args:
        model: A model with one input ``[N, 3, H, W]`` and one output. The batch size becomes 1.

    Raises:
        UnavailableError: It has other inputs or outputs, or a shape that depends on the image
            (``model_not_traceable``).
    """
    model = _for_one_image(model)
    graph = _Graph(model)
    heads = find_heads(graph.operations)
    blocks = _name_points(model, graph, heads)
    onnx.checker.check_model(model)
    return CutGraph(model, graph.input_shape, tuple(blocks))


class _Graph:
    """The operations of a model that depend on its input, with what the choice of cuts needs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.shapes = _shapes(model)
        self.input = _only_input(graph).name
        self.output = graph.output[0].name
        channels, height, width = self.shapes[self.input][1:]
        self.input_shape = channels, height, width
        producers = {self.input: Operation(0, self.input, self._sent_shape(self.input))}
        self.operations = [producers[self.input]]
        #: The nodes by the index of their operation; the input has none.
        self.nodes: dict[int, NodeProto] = {}
        #: The nodes that depend on weights alone.
        self.constants: list[NodeProto] = []
        for node in graph.node:
            if producers.keys().isdisjoint(node.input):
                self.constants.append(node)
                continue
            operation = self._operation(node, len(self.operations))
            self.operations.append(operation)
            self.nodes[operation.index] = node
            for name in dict.fromkeys(node.input):
                if name in producers and operation not in producers[name].users:
                    producers[name].users.append(operation)
            producers |= dict.fromkeys(node.output, operation)
        producers[self.output].users.append(Operation(len(self.operations), "output"))

    def tensor(self, operation: Operation) -> str:
        """Return the name of an operation's output."""
        node = self.nodes.get(operation.index)
        return self.input if node is None else node.output[0]

    def _operation(self, node: NodeProto, index: int) -> Operation:
        name = node.name or node.output[0]
        outputs = [output for output in node.output if output]
        shape = self._sent_shape(outputs[0]) if len(outputs) == 1 else None
        return Operation(index, name, shape, _macs(node, self.shapes))

    def _sent_shape(self, name: str) -> tuple[int, ...] | None:
        shape = self.shapes.get(name, ())
        return shape[1:] if shape[:1] == (1,) else None


def _for_one_image(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy with a batch size of 1, and with the shapes of all tensors."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    dimensions = _only_input(copy.graph).type.tensor_type.shape.dim
    if len(copy.graph.output) != 1 or len(dimensions) != 4:
        raise _not_cut("it needs one input [N, 3, H, W] and one output")
    dimensions[0].dim_value = 1
    for output in copy.graph.output:
        output.type.tensor_type.shape.dim[0].dim_value = 1
    del copy.graph.value_info[:]
    return shape_inference.infer_shapes(copy, strict_mode=True, data_prop=True)


def _only_input(graph: onnx.GraphProto) -> onnx.ValueInfoProto:
    weights = {tensor.name for tensor in graph.initializer}
    inputs: list[onnx.ValueInfoProto] = [
        value for value in graph.input if value.name not in weights
    ]
    if len(inputs) != 1:
        raise _not_cut(f"it has {len(inputs)} inputs instead of one")
    return inputs[0]


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all float32 tensors whose sizes are known."""
    graph = model.graph
    shapes = {
        tensor.name: tuple(tensor.dims)
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT
    }
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor_type = value.type.tensor_type
        sizes = [size.dim_value for size in tensor_type.shape.dim]
        if tensor_type.elem_type == TensorProto.FLOAT and all(sizes):
            shapes[value.name] = tuple(sizes)
    return shapes


def _macs(node: NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the multiply-accumulate operations of a node; 0 for element-wise ones."""
    output = math.prod(shapes.get(node.output[0], (0,)))
    first, second = (shapes.get(name, ()) for name in (*node.input, "", "")[:2])
    if node.op_type == "Conv" and second:
        return output * math.prod(second[1:])
    if node.op_type == "ConvTranspose" and second:
        return math.prod(first) * math.prod(second[1:])
    if node.op_type == "MatMul" and first:
        return output * first[-1]
    if node.op_type == "Gemm" and first:
        transposed = any(one.name == "transA" and one.i for one in node.attribute)
        return output * first[0 if transposed else -1]
    return 0


def _name_points(
    model: onnx.ModelProto, graph: _Graph, heads: Sequence[Head]
) -> list[ExportedBlock]:
    """Rewrite a model so that its features at every point have a name; return its blocks."""
    nodes: list[NodeProto] = [*graph.constants]
    blocks: list[ExportedBlock] = []
    #: Current name of each tensor that crossed the last cut.
    names = {graph.input: point_name(0)}
    for point, (before, head) in enumerate(pairwise(heads), 1):
        inside = [one for one in graph.operations if one in head and one not in before]
        for operation in inside:
            node = graph.nodes[operation.index]
            node.input[:] = [names.get(name, name) for name in node.input]
            nodes.append(node)
        live = live_outputs(head)
        tensors = [graph.tensor(one) for one in live]
        nodes += _packed(point, [names.get(name, name) for name in tensors], live)
        names |= {name: _restored(point, index, len(tensors)) for index, name in enumerate(tensors)}
        shape = live[0].shape if len(live) == 1 else (sum(_size(one) for one in live),)
        new = [one for one in live if one not in before]
        blocks.append(
            ExportedBlock(
                name=new[-1].name, shape=shape or (), macs=sum(one.macs for one in inside)
            )
        )
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _only_input(model.graph).name = point_name(0)
    model.graph.output[0].name = point_name(len(blocks))
    _declare_points(model, blocks)
    return blocks


def _packed(point: int, tensors: Sequence[str], live: Sequence[Operation]) -> list[NodeProto]:
    """Return the nodes that make one tensor of those at a cut, and restore them after it.

    Args:
        point: The partition point.
        tensors: Current names of the tensors that cross the cut.
        live: The operations that compute them.
    """
    name = point_name(point)
    if len(tensors) == 1:
        return [helper.make_node("Identity", tensors, [name], name=f"{name}/name")]
    flat = [f"{name}/flat{index}" for index in range(len(tensors))]
    parts = [f"{name}/part{index}" for index in range(len(tensors))]
    sizes = f"{name}/sizes"
    nodes = [
        helper.make_node("Flatten", [tensor], [out], name=out, axis=1)
        for tensor, out in zip(tensors, flat, strict=True)
    ]
    nodes += [
        helper.make_node("Concat", flat, [name], name=f"{name}/pack", axis=1),
        _integers(sizes, [_size(one) for one in live]),
        helper.make_node("Split", [name, sizes], parts, name=f"{name}/unpack", axis=1),
    ]
    for index, (part, one) in enumerate(zip(parts, live, strict=True)):
        shape, restored = f"{part}/shape", _restored(point, index, len(parts))
        nodes.append(_integers(shape, [1, *(one.shape or ())]))
        nodes.append(helper.make_node("Reshape", [part, shape], [restored], name=restored))
    return nodes


def _restored(point: int, index: int, count: int) -> str:
    """Return the name of a tensor after a cut that it crossed, as the only one or with others."""
    return point_name(point) if count == 1 else f"{point_name(point)}/tensor{index}"


def _integers(name: str, values: Sequence[int]) -> NodeProto:
    return helper.make_node("Constant", [], [name], name=name, value_ints=list(values))


def _size(operation: Operation) -> int:
    return math.prod(operation.shape or ())


def _declare_points(model: onnx.ModelProto, blocks: Sequence[ExportedBlock]) -> None:
    """Declare the features at inner points, so that graphs can be extracted there."""
    del model.graph.value_info[:]
    for point, block in enumerate(blocks[:-1], 1):
        shape = (1, *block.shape)
        value = helper.make_tensor_value_info(point_name(point), TensorProto.FLOAT, shape)
        model.graph.value_info.append(value)


def _not_cut(reason: str) -> UnavailableError:
    return UnavailableError(f"the ONNX model cannot be cut: {reason}", code="model_not_traceable")
