"""Cutting models along their traced graph: torch.fx replaces hand-written adapters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Interpreter, Node, symbolic_trace
from torch.fx.proxy import TraceError

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.cutting import Operation, find_heads, live_outputs
from edgewright.tools.models.engines.torch.chain import Block
from edgewright.tools.models.engines.torch.macs import count_macs

# Two images, to distinguish the batch dimension from a dimension that happens to be 1.
_BATCH_SIZE = 2


def traced_blocks(network: torch.nn.Module, input_shape: tuple[int, ...]) -> dict[str, Block]:
    """Cut a model into blocks, each named after the last of its operations with a live output.

    Args:
        network: The model in evaluation mode, with one input tensor and one output tensor.
        input_shape: Shape of its input, without the batch dimension.

    Raises:
        UnavailableError: The model has control flow that depends on the image, or its output is not
            a single tensor (``model_not_traceable``).
    """
    try:
        module = symbolic_trace(network)
    except TraceError as error:
        raise UnavailableError(
            f"torch.fx cannot trace the model: {error}", code="model_not_traceable"
        ) from error
    _disable_in_place(module)
    nodes, ordered = _operations(module, input_shape)
    blocks: dict[str, Block] = {}
    for before, head in pairwise(find_heads(ordered)):
        outputs = live_outputs(head)
        name = [operation.name for operation in outputs if operation not in before][-1]
        blocks[name] = _TracedBlock(
            module,
            [nodes[one.index] for one in ordered if one in head and one not in before],
            inputs={nodes[one.index]: one.shape or () for one in live_outputs(before)},
            outputs={nodes[one.index]: one.shape or () for one in outputs},
        )
    return blocks


def _operations(
    module: GraphModule, input_shape: tuple[int, ...]
) -> tuple[list[Node], list[Operation]]:
    """Run a traced model once; return its nodes in order, and what the choice of cuts needs.

    Args:
        module: The traced model.
        input_shape: Shape of its input, without the batch dimension.
    """
    nodes = [node for node in module.graph.nodes if node.op not in ("get_attr", "output")]
    interpreter = _Interpreter(module)
    interpreter.run(torch.zeros(_BATCH_SIZE, *input_shape))
    operations = {
        node: Operation(index, node.name, *interpreter.found[node])
        for index, node in enumerate(nodes)
    }
    output = Operation(len(nodes), "output")
    for node, operation in operations.items():
        operation.users = [operations.get(user, output) for user in node.users]
    return nodes, list(operations.values())


class _Interpreter(Interpreter):
    """Runs a traced model, and records the shape and the MACs of each node for one image."""

    def __init__(self, module: GraphModule) -> None:
        super().__init__(module)
        self.found: dict[Node, tuple[tuple[int, ...] | None, int]] = {}

    def run_node(self, n: Node) -> Any:
        """Run a node and record it."""
        result, macs = count_macs(super().run_node, n)
        shape = None
        if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            batch, *sizes = result.shape or (0,)
            shape = tuple(sizes) if batch == _BATCH_SIZE else None
        self.found[n] = shape, macs // _BATCH_SIZE
        return result


def _disable_in_place(module: GraphModule) -> None:
    """Disable in-place operations: a head's features may be used again."""
    parts: Iterable[Any] = module.modules()
    for part in parts:
        if getattr(part, "inplace", False):
            part.inplace = False
    for node in module.graph.nodes:
        if node.kwargs.get("inplace"):
            node.update_kwarg("inplace", False)


@dataclass(frozen=True)
class TensorPacker:
    """Packs the tensors that cross a cut into one tensor.

    Tensors that differ only in their number of channels are concatenated along the channels, so
    that a codec can work per channel; others are flattened and concatenated.

    Attributes:
        shapes: Shapes of the tensors, without the batch dimension.
    """

    shapes: Sequence[tuple[int, ...]]

    def pack(self, tensors: Sequence[Tensor]) -> Tensor:
        """Pack the tensors into one."""
        if len(tensors) == 1:
            return tensors[0]
        if not self._same_except_channels:
            tensors = [tensor.flatten(1) for tensor in tensors]
        return torch.cat(list(tensors), dim=1)

    def unpack(self, features: Tensor) -> list[Tensor]:
        """Unpack the tensors."""
        if len(self.shapes) == 1:
            return [features]
        sizes = [
            shape[0] if self._same_except_channels else math.prod(shape) for shape in self.shapes
        ]
        parts = torch.split(features, sizes, dim=1)
        return [part.reshape(-1, *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    @property
    def _same_except_channels(self) -> bool:
        return len({shape[1:] for shape in self.shapes}) == 1


class _TracedBlock:
    """A block of operations of a traced model.

    Args:
        module: The traced model.
        nodes: The operations, in order.
        inputs: Earlier operations whose output is used in this block or later, with its shape.
        outputs: Operations up to the end of this block whose output is used later, likewise.
    """

    def __init__(
        self,
        module: GraphModule,
        nodes: Sequence[Node],
        *,
        inputs: Mapping[Node, tuple[int, ...]],
        outputs: Mapping[Node, tuple[int, ...]],
    ) -> None:
        graph = Graph()
        copies = {node: graph.placeholder(node.name) for node in inputs}

        def copy_of(node: Node) -> Node:
            if node not in copies:
                copies[node] = graph.node_copy(node, copy_of)
            return copies[node]

        for node in nodes:
            copy_of(node)
        graph.output(tuple(copy_of(node) for node in outputs))
        self._module = GraphModule(module, graph)
        self._inputs = TensorPacker(list(inputs.values()))
        self._outputs = TensorPacker(list(outputs.values()))

    def __call__(self, features: Tensor) -> Tensor:
        return self._outputs.pack(self._module(*self._inputs.unpack(features)))
