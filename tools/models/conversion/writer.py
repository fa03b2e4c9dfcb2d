"""Writing an ONNX graph from operations whose tensors have their channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
Axes = tuple[int, ...]

#: Version of the ONNX operators.
OPSET = 17
#: Smaller arrays stay as they are: halving them saves nothing.
_MIN_HALVED = 256
INPUT, OUTPUT = "image", "output"


@dataclass(frozen=True)
class Tensor:
    """A tensor of the original graph, which may lie in ONNX with its axes in another order.

    Attributes:
        name: Name of the ONNX tensor.
        shape: Shape in the original graph.
        axes: For each axis in the original graph, the axis of the ONNX tensor.
        integer: Whether it holds integers (64 bits) and no float32 numbers.
    """

    name: str
    shape: tuple[int, ...]
    axes: Axes
    integer: bool = False


@dataclass(frozen=True)
class _Padded:
    """A padded tensor: what was padded, by how much on each axis of ONNX, and with what."""

    source: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float


class GraphWriter:
    """Collects the nodes of an ONNX graph."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._padded: dict[str, _Padded] = {}
        self._count = 0

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        name = self._name(kind)
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def split(self, source: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Add a node that splits a tensor, and return the names of the parts."""
        name = self._name("Split")
        parts = [f"{name}/{index}" for index in range(len(sizes))]
        inputs = [source, self.integers(sizes)]
        self._nodes.append(helper.make_node("Split", inputs, parts, name=name, axis=axis))
        return parts

    def constant(self, values: Array | np.generic) -> str:
        """Add an array and return its name; float32 numbers that are float16 are stored as such."""
        values = np.asarray(values)
        if values.dtype.kind in "iu":
            return self.integers(values)
        values = values.astype(np.float32)
        halved = values.size >= _MIN_HALVED and bool(
            (np.abs(values) < np.finfo(np.float16).max).all()
            and (values.astype(np.float16) == values).all()
        )
        name = self._name("weights")
        array = np.ascontiguousarray(values.astype(np.float16) if halved else values)
        self._constants[name] = numpy_helper.from_array(array, name)
        return self.node("Cast", [name], to=TensorProto.FLOAT) if halved else name

    def integers(self, values: Sequence[int] | Array) -> str:
        """Add an array of integers and return its name."""
        name = self._name("integers")
        array = np.asarray(values, np.int64)
        self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def ordered(self, tensor: Tensor, axes: Axes) -> str:
        """Return the name of a tensor whose axes lie in a given order in ONNX."""
        if tensor.axes == axes:
            return tensor.name
        original = {place: axis for axis, place in enumerate(axes)}
        permutation = [tensor.axes[original[place]] for place in range(len(axes))]
        return self.node("Transpose", [tensor.name], perm=permutation)

    def plain(self, tensor: Tensor) -> str:
        """Return the name of a tensor whose axes lie as in the original graph."""
        return self.ordered(tensor, tuple(range(len(tensor.shape))))

    def padded(self, source: str, before: Sequence[int], after: Sequence[int], value: float) -> str:
        """Add a padding and return its name; a convolution after it pads by itself."""
        amounts = self.integers([*before, *after])
        name = self.node("Pad", [source, amounts, self.constant(np.float32(value))])
        self._padded[name] = _Padded(source, tuple(before), tuple(after), value)
        return name

    def unpadded(self, name: str, value: float) -> tuple[str, list[int]]:
        """Return what a padding of height and width was added to, and how much: ``[t, l, b, r]``.

        Args:
            name: Name of a tensor with its channels first.
            value: The number that was padded with.
        """
        padding = self._padded.get(name)
        if padding is None or padding.value != value or any(padding.before[:2] + padding.after[:2]):
            return name, [0, 0, 0, 0]
        return padding.source, [*padding.before[2:], *padding.after[2:]]

    def finished(self, size: tuple[int, int], output: Tensor) -> onnx.ModelProto:
        """Return the model.

        Args:
            size: Height and width of the input.
            output: Its output.
        """
        self._nodes.append(
            helper.make_node("Identity", [self.plain(output)], [OUTPUT], name=OUTPUT)
        )
        nodes = self._needed()
        used = {name for node in nodes for name in node.input}
        float32 = TensorProto.FLOAT
        graph = helper.make_graph(
            nodes,
            "converted",
            [helper.make_tensor_value_info(INPUT, float32, (1, 3, *size))],
            [helper.make_tensor_value_info(OUTPUT, float32, output.shape)],
            [tensor for name, tensor in self._constants.items() if name in used],
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
        onnx.checker.check_model(model)
        return model

    def _needed(self) -> list[onnx.NodeProto]:
        needed, kept = {OUTPUT}, []
        for node in reversed(self._nodes):
            if not needed.isdisjoint(node.output):
                needed.update(node.input)
                kept.append(node)
        return kept[::-1]

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"
