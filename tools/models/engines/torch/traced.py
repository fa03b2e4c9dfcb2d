"""Models cut by their own graph: what torch.fx can trace needs no adapter written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node, symbolic_trace
from torch.fx.proxy import TraceError

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.chain import Block
from edgewright.tools.models.engines.torch.cutting import heads, leaving, measure, operations


def traced_blocks(network: torch.nn.Module, input_shape: tuple[int, ...]) -> dict[str, Block]:
    """Cut a model into blocks, each named after the last of its operations that leaves it.

    Args:
        network: The model, in evaluation mode; one tensor goes in, one comes out.
        input_shape: Shape of its input, without the batch dimension.

    Raises:
        UnavailableError: What it computes depends on the picture in ways that cannot be traced, or
            its output is not one tensor (``model_not_traceable``).
    """
    try:
        module = symbolic_trace(network)
    except TraceError as error:
        raise UnavailableError(
            f"torch.fx cannot trace the model: {error}", code="model_not_traceable"
        ) from error
    _work_out_of_place(module)
    measure(module, input_shape)
    cuts = heads(module)
    blocks: dict[str, Block] = {}
    for before, head in pairwise(cuts):
        nodes = [node for node in operations(module) if node in head and node not in before]
        behind = leaving(head)
        name = [node.name for node in behind if node not in before][-1]
        blocks[name] = _TracedBlock(module, nodes, leaving(before), behind)
    return blocks


def _work_out_of_place(module: GraphModule) -> None:
    """Let no operation write over its input: a head's features may be needed once more."""
    parts: Iterable[Any] = module.modules()
    for part in parts:
        if getattr(part, "inplace", False):
            part.inplace = False
    for node in module.graph.nodes:
        if node.kwargs.get("inplace"):
            node.update_kwarg("inplace", False)


@dataclass(frozen=True)
class Crossing:
    """The tensors that cross a cut, which travel as one.

    Tensors that differ in their channels alone are stacked along these, so that a codec finds
    channels; others are laid end to end.

    Attributes:
        shapes: Their shapes, without the batch dimension.
    """

    shapes: Sequence[tuple[int, ...]]

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        """Make one tensor of them."""
        if len(tensors) == 1:
            return tensors[0]
        if not self._alike:
            tensors = [tensor.flatten(1) for tensor in tensors]
        return torch.cat(list(tensors), dim=1)

    def part(self, features: Tensor) -> list[Tensor]:
        """Take them apart again."""
        if len(self.shapes) == 1:
            return [features]
        sizes = [shape[0] if self._alike else math.prod(shape) for shape in self.shapes]
        parts = torch.split(features, sizes, dim=1)
        return [part.reshape(-1, *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    @property
    def _alike(self) -> bool:
        return len({shape[1:] for shape in self.shapes}) == 1


class _TracedBlock:
    """Some operations of a traced model.

    Args:
        module: The traced model, after ``measure``.
        nodes: The operations, in order.
        entering: Operations before them whose output is needed here or later.
        leaving: Operations whose output is needed later.
    """

    def __init__(
        self,
        module: GraphModule,
        nodes: Sequence[Node],
        entering: Sequence[Node],
        leaving: Sequence[Node],
    ) -> None:
        graph = Graph()
        copies = {node: graph.placeholder(node.name) for node in entering}

        def copied(node: Node) -> Node:
            if node not in copies:
                copies[node] = graph.node_copy(node, copied)
            return copies[node]

        for node in nodes:
            copied(node)
        graph.output(tuple(copied(node) for node in leaving))
        self._module = GraphModule(module, graph)
        self._entering = Crossing([node.meta["shape"] for node in entering])
        self._leaving = Crossing([node.meta["shape"] for node in leaving])

    def __call__(self, features: Tensor) -> Tensor:
        return self._leaving.join(self._module(*self._entering.part(features)))
