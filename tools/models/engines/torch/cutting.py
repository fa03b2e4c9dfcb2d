"""Finding the cuts of a traced model: by scan in chains, by minimum cut in branching graphs.

An operation's *width* is the number of values in its output for one image. A *head* is a set of
operations that depends on nothing outside itself; a cut sends its outputs that are used outside.
Each head found here contains the previous one, so together they cut a model into blocks that run
one after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from typing import Any

import networkx
import torch
from networkx.algorithms.flow import dinitz
from torch.fx import GraphModule, Interpreter, Node

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.macs import count_macs

#: A cut this many times as wide as an earlier one is dropped: the earlier one costs the device and
#: the link less. Slightly wider ones remain, since deeper features compress better.
_MAX_WIDTH_RATIO = 2.0
# Two images, to distinguish the batch dimension from a dimension that happens to be 1.
_BATCH_SIZE = 2

Head = frozenset[Node]


def annotate(module: GraphModule, input_shape: tuple[int, ...]) -> None:
    """Run a traced model once and annotate each node with what the choice of cuts depends on.

    Sets ``node.meta["shape"]``, the shape of its output without the batch dimension, or None if the
    output is not a float32 tensor with one entry per image; and ``node.meta["has_macs"]``.

    Args:
        module: The traced model.
        input_shape: Shape of its input, without the batch dimension.
    """
    _Annotator(module).run(torch.zeros(_BATCH_SIZE, *input_shape))


class _Annotator(Interpreter):
    def run_node(self, n: Node) -> Any:
        """Run a node and annotate it."""
        result, macs = count_macs(super().run_node, n)
        n.meta["has_macs"] = macs > 0
        n.meta["shape"] = None
        if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            batch, *shape = result.shape or (0,)
            n.meta["shape"] = tuple(shape) if batch == _BATCH_SIZE else None
        return result


def operations(module: GraphModule) -> list[Node]:
    """Return the operations in order, starting with the input; weights are not operations."""
    return [node for node in module.graph.nodes if node.op not in ("get_attr", "output")]


def find_heads(module: GraphModule) -> list[Head]:
    """Choose the heads of an annotated model, from the input alone to the whole model.

    Args:
        module: The traced model, after ``annotate``.

    Raises:
        UnavailableError: The model's output is not a single tensor (``model_not_traceable``).
    """
    ordered = operations(module)
    single_cuts = _single_tensor_cuts(ordered)
    if not single_cuts or single_cuts[-1] != len(ordered) - 1:
        raise UnavailableError(
            "the model's output is not a single tensor, so it cannot be cut; wrap it in a module "
            "that returns only the logits",
            code="model_not_traceable",
        )
    found: list[Head] = [frozenset(ordered[:1])]
    for start, stop in pairwise([0, *single_cuts]):
        region = ordered[start + 1 : stop + 1]
        found += _branch_heads(found[-1], region)
        found.append(found[-1] | frozenset(region))
    return list(_without_wide_cuts(found))


def live_outputs(head: Set[Node]) -> list[Node]:
    """Return the operations of a head whose output is used outside it, in order."""
    return sorted(node for node in head if any(user not in head for user in node.users))


def _single_tensor_cuts(ordered: Sequence[Node]) -> list[int]:
    """Scan for the positions after which only one tensor is still needed, and it can be sent.

    Of consecutive such positions without MACs between them, only the last is used: the operations
    between them, such as activation and pooling, cost the device little and narrow the cut.
    """
    ordinal = {node: index for index, node in enumerate(ordered)}
    last_use = [
        max((ordinal.get(user, len(ordered)) for user in node.users), default=index)
        for index, node in enumerate(ordered)
    ]
    positions: list[int] = []
    live: set[int] = set()
    macs_since_last = True  # so that the input's position is included
    for index, node in enumerate(ordered):
        live = {value for value in live if last_use[value] > index}
        if last_use[index] > index:
            live.add(index)
        if node.meta["has_macs"]:
            macs_since_last = True
        if len(live) == 1 and ordered[min(live)].meta["shape"] is not None:
            if not macs_since_last and positions:
                positions.pop()
            positions.append(index)
            macs_since_last = False
    return [position for position in positions if position > 0]


def _branch_heads(head: Head, region: Sequence[Node]) -> Iterator[Head]:
    """Grow a head through a region with branches, by the narrowest cut at each step.

    Each step requires the next operation with MACs and chooses, among all heads that contain it,
    the one with the narrowest cut, until no operation with MACs remains.

    Args:
        head: The operations before the region.
        region: Operations up to the next position with a single-tensor cut.
    """
    with_macs = [node for node in region if node.meta["has_macs"]]
    for node in with_macs:
        if node not in head:
            head = _minimum_cut(head | {node}, region)
            if not head.issuperset(with_macs):
                yield head


def _minimum_cut(required: Head, region: Sequence[Node]) -> Head:
    """Return the head with the narrowest cut that contains the required operations.

    The edge from a node to its exit has the node's width as capacity; all others have infinite
    capacity. Edges from exits to users make a cut pay once for each value it sends; edges from
    users back to nodes ensure that a head contains everything it depends on.

    Args:
        required: Operations that must be in the head.
        region: Operations that may be added to it.
    """
    optional = [node for node in region if node not in required]
    network = networkx.DiGraph()
    for node in [*live_outputs(required), *optional]:
        shape = node.meta["shape"]
        attributes = {} if shape is None else {"capacity": math.prod(shape)}
        network.add_edge(node, (node, "exit"), **attributes)
        if node in required or not required.isdisjoint(node.users):
            network.add_edge("source", node)
        for user in node.users:
            if user in optional:
                network.add_edge((node, "exit"), user)
                network.add_edge(user, node)
            elif user not in required:
                network.add_edge((node, "exit"), "sink")
    _, (reached, _) = networkx.minimum_cut(network, "source", "sink", flow_func=dinitz)
    return required.union(node for node in optional if node in reached)


def _without_wide_cuts(found: Sequence[Head]) -> Iterator[Head]:
    """Drop cuts that are much wider than an earlier one; always keep the first and last head."""
    yield found[0]
    narrowest = math.inf
    for head in found[1:-1]:
        width = sum(math.prod(node.meta["shape"]) for node in live_outputs(head))
        if width < _MAX_WIDTH_RATIO * narrowest:
            narrowest = min(narrowest, width)
            yield head
    yield found[-1]
