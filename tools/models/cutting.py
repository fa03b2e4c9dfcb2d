"""Finding the cuts of a model's graph: by scan in chains, by minimum cut in branching graphs.

An operation's *width* is the number of values in its output for one image. A *head* is a set of
operations that depends on nothing outside itself; a cut sends its outputs that are used outside.
Each head found here contains the previous one, so together they cut a model into blocks that run
one after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

import networkx
from networkx.algorithms.flow import dinitz

from edgewright.tools.errors import UnavailableError

#: A cut this many times as wide as an earlier one is dropped: the earlier one costs the device and
#: the link less. Slightly wider ones remain, since deeper features compress better.
_MAX_WIDTH_RATIO = 2.0


@dataclass(eq=False)
class Operation:
    """An operation of a model's graph; weights are not operations.

    Attributes:
        index: Its position in the order of execution.
        name: Its name in the graph.
        shape: Shape of its output, without the batch dimension; None if the output is not a single
            float32 tensor with one entry per image, and so cannot be sent.
        macs: Multiply-accumulate operations for one image.
        users: Operations that use its output, in order; the model's output counts as one.
    """

    index: int
    name: str
    shape: tuple[int, ...] | None = None
    macs: int = 0
    users: list[Operation] = field(default_factory=list)


Head = frozenset[Operation]


def find_heads(ordered: Sequence[Operation]) -> list[Head]:
    """Choose the heads of a model, from the input alone to the whole model.

    Args:
        ordered: All operations in an order of execution, from the input on. The model's output is
            not among them, but is the user of the last one.

    Raises:
        UnavailableError: The model's output is not a single tensor (``model_not_traceable``).
    """
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


def live_outputs(head: Set[Operation]) -> list[Operation]:
    """Return the operations of a head whose output is used outside it, in order."""
    live = (node for node in head if any(user not in head for user in node.users))
    return sorted(live, key=lambda node: node.index)


def _single_tensor_cuts(ordered: Sequence[Operation]) -> list[int]:
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
        if node.macs:
            macs_since_last = True
        if len(live) == 1 and ordered[min(live)].shape is not None:
            if not macs_since_last and positions:
                positions.pop()
            positions.append(index)
            macs_since_last = False
    return [position for position in positions if position > 0]


def _branch_heads(head: Head, region: Sequence[Operation]) -> Iterator[Head]:
    """Grow a head through a region with branches, by the narrowest cut at each step.

    Each step requires the next operation with MACs and chooses, among all heads that contain it,
    the one with the narrowest cut, until no operation with MACs remains.

    Args:
        head: The operations before the region.
        region: Operations up to the next position with a single-tensor cut.
    """
    with_macs = [node for node in region if node.macs]
    for node in with_macs:
        if node not in head:
            head = _minimum_cut(head | {node}, region)
            if not head.issuperset(with_macs):
                yield head


def _minimum_cut(required: Head, region: Sequence[Operation]) -> Head:
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
        shape = node.shape
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
        width = sum(math.prod(node.shape or ()) for node in live_outputs(head))
        if width < _MAX_WIDTH_RATIO * narrowest:
            narrowest = min(narrowest, width)
            yield head
    yield found[-1]
