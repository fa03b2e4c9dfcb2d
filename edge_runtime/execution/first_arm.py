"""The arm that a call tries first: the one that its caller fixed, or the one that is chosen."""

from __future__ import annotations

from edgewright.edge_runtime.execution.decision import (
    EDGE_ONLY,
    choose,
    executed_arm,
    expected_costs,
)
from edgewright.edge_runtime.execution.invocation import Call
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.errors import InputError
from edgewright.tools.offload.backlog import TaskCosts


def planned(node: Node, call: Call) -> tuple[Arm, TaskCosts]:
    """Return the arm to try first, fixed or chosen, and its expected costs.

    Args:
        node: This node.
        call: The call.

    Raises:
        InputError: This node cannot execute the fixed arm (``arm_not_possible``).
    """
    if call.arm:
        arm = _checked_arm(node, call.arm)
        return arm, expected_costs(node, call, arm)
    chosen = choose(node, call)
    if isinstance(chosen, Decision):
        if not node.peers:  # nothing is compared with what is ahead
            return chosen.arm, TaskCosts(call.expert.model, 0.0)
        return chosen.arm, expected_costs(node, call, chosen.arm)
    return executed_arm(node, chosen.arm), chosen.costs


def _checked_arm(node: Node, arm: Arm) -> Arm:
    """Check an arm that the caller fixed, and name its peer if the caller did not.

    Raises:
        InputError: This node cannot execute it (``arm_not_possible``).
    """
    if node.config.role != "device":
        if arm.model_copy(update={"precision": "fp32"}) == EDGE_ONLY:
            return arm
        if arm.kind != "edge-only" or arm.peer not in node.peers:
            raise _impossible(
                "a server runs the whole model itself, or passes the task on to a peer that it "
                "has; leave 'arm' out"
            )
    if arm.kind == "device-only":
        return arm.model_copy(update={"peer": None})
    if not node.peers:
        raise _impossible(
            f"{arm.label} needs an edge peer, and this device has none; set 'peers' in its "
            "configuration"
        )
    if arm.kind == "co-inference" and arm.point is None:
        raise _impossible("co-inference needs a partition point; set 'point'")
    allowed = [
        name
        for name, one in node.peers.items()
        if arm.kind == "co-inference" or one.config.receives == "images"
    ]
    if arm.peer is not None and arm.peer not in node.peers:
        raise _impossible(
            f"this device has no peer {arm.peer!r}; its peers are {', '.join(node.peers)}"
        )
    if not allowed or arm.peer not in (None, *allowed):
        raise _impossible(
            f"{arm.peer or min(node.peers)} receives features only, no images; change its "
            "'receives', or cut the model"
        )
    up = (name for name in allowed if node.peers[name].state.up)
    return arm if arm.peer else arm.model_copy(update={"peer": next(up, allowed[0])})


def _impossible(message: str) -> InputError:
    return InputError(message, code="arm_not_possible")
