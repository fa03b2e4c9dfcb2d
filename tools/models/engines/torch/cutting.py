"""Where a traced model can be cut: chains by scan, branching graphs by minimum cut.

An operation's *width* is the number of values that its output has for one picture. A *head* is a
set of operations that needs nothing from outside of itself; the values that leave it are what a
cut there sends. The heads found here grow, one out of the other, so that they cut a model into
blocks that are run one after the other.
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
from edgewright.tools.models.macs import counted

#: A cut this many times as wide as an earlier one is left out: the earlier one asks less of the
#: device and of the link. Somewhat wider ones stay, for deeper features are coded in fewer bytes.
_WIDEST = 2.0
# Two pictures, so that the batch dimension is told from a dimension that happens to be 1.
_PICTURES = 2

Head = frozenset[Node]


def measure(module: GraphModule, input_shape: tuple[int, ...]) -> None:
    """Run a traced model once and note on every node what its cuts depend on.

    Sets ``node.meta["shape"]``: the shape of its output without the batch dimension, or None if
    that is not a float32 tensor with one entry a picture; and ``node.meta["multiplies"]``.

    Args:
        module: The traced model.
        input_shape: Shape of its input, without the batch dimension.
    """
    _Measuring(module).run(torch.zeros(_PICTURES, *input_shape))


class _Measuring(Interpreter):
    def run_node(self, n: Node) -> Any:
        """Run a node and note what its output is."""
        result, macs = counted(super().run_node, n)
        n.meta["multiplies"] = macs > 0
        n.meta["shape"] = None
        if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            batch, *shape = result.shape or (0,)
            n.meta["shape"] = tuple(shape) if batch == _PICTURES else None
        return result


def operations(module: GraphModule) -> list[Node]:
    """Return what is computed, in order, the input first; weights belong to whoever reads them."""
    return [node for node in module.graph.nodes if node.op not in ("get_attr", "output")]


def heads(module: GraphModule) -> list[Head]:
    """Choose the heads of a measured model: from the input alone to all of it.

    Args:
        module: The traced model, after ``measure``.

    Raises:
        UnavailableError: Its output is not one tensor (``model_not_traceable``).
    """
    everything = operations(module)
    through_one = _single_crossings(everything)
    if not through_one or through_one[-1] != len(everything) - 1:
        raise UnavailableError(
            "the model's output is not one tensor, so that it cannot be cut; wrap it in a module "
            "that returns the logits alone",
            code="model_not_traceable",
        )
    found: list[Head] = [frozenset(everything[:1])]
    for start, stop in pairwise([0, *through_one]):
        region = everything[start + 1 : stop + 1]
        found += _narrowest(found[-1], region)
        found.append(found[-1] | frozenset(region))
    return list(_worthwhile(found))


def leaving(head: Set[Node]) -> list[Node]:
    """Return the operations of a head whose output is needed outside of it, in order."""
    return sorted(node for node in head if any(user not in head for user in node.users))


def _single_crossings(everything: Sequence[Node]) -> list[int]:
    """Scan for the positions behind which one sendable value alone is needed.

    Of several such positions with nothing to multiply between them, the last is taken: what
    stands between them, activation and pooling, costs the device little and narrows the cut.
    """
    ordinal = {node: index for index, node in enumerate(everything)}
    last_use = [
        max((ordinal.get(user, len(everything)) for user in node.users), default=index)
        for index, node in enumerate(everything)
    ]
    positions: list[int] = []
    alive: set[int] = set()
    multiplied = True  # the input's own position is the first head
    for index, node in enumerate(everything):
        alive = {known for known in alive if last_use[known] > index}
        if last_use[index] > index:
            alive.add(index)
        if node.meta["multiplies"]:
            multiplied = True
        if len(alive) == 1 and everything[min(alive)].meta["shape"] is not None:
            if not multiplied and positions:
                positions.pop()
            positions.append(index)
            multiplied = False
    return [position for position in positions if position > 0]


def _narrowest(head: Head, region: Sequence[Node]) -> Iterator[Head]:
    """Grow a head through a region with branches, each time by the narrowest cut.

    Each step demands the next operation that multiplies and takes the head with the fewest
    values leaving it among all that contain it, until nothing to multiply is left.

    Args:
        head: What has run before the region.
        region: Operations up to the next position that one value alone crosses.
    """
    multiplying = [node for node in region if node.meta["multiplies"]]
    for node in multiplying:
        if node not in head:
            head = _minimum_cut(head | {node}, region)
            if not head.issuperset(multiplying):
                yield head


def _minimum_cut(demanded: Head, region: Sequence[Node]) -> Head:
    """Return the head with the narrowest cut that contains what is demanded.

    A node's edge to its own exit costs its width; all others cost without limit. Those from exit
    to users make a cut pay for every value that leaves, once; those from users back to the node
    keep a head from needing what it does not contain.

    Args:
        demanded: Operations that must be in the head.
        region: Operations that may be added to it.
    """
    free = [node for node in region if node not in demanded]
    network = networkx.DiGraph()
    for node in [*leaving(demanded), *free]:
        shape = node.meta["shape"]
        price = {} if shape is None else {"capacity": math.prod(shape)}
        network.add_edge(node, (node, "exit"), **price)
        if node in demanded or not demanded.isdisjoint(node.users):
            network.add_edge("demanded", node)
        for user in node.users:
            if user in free:
                network.add_edge((node, "exit"), user)
                network.add_edge(user, node)
            elif user not in demanded:
                network.add_edge((node, "exit"), "outside")
    _, (reached, _) = networkx.minimum_cut(network, "demanded", "outside", flow_func=dinitz)
    return demanded.union(node for node in free if node in reached)


def _worthwhile(found: Sequence[Head]) -> Iterator[Head]:
    """Leave out cuts that are far wider than an earlier one; first and last head always stay."""
    yield found[0]
    narrowest = math.inf
    for head in found[1:-1]:
        width = sum(math.prod(node.meta["shape"]) for node in leaving(head))
        if width < _WIDEST * narrowest:
            narrowest = min(narrowest, width)
            yield head
    yield found[-1]
