"""Choosing the arm of a call from the node's current knowledge, and learning from its cost."""

from __future__ import annotations

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.invocation import PendingCall
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.offload.choice import ArmChoice, Situation

DEVICE_ONLY = Arm(kind="device-only")
#: The image is sent unchanged.
EDGE_ONLY = Arm(kind="edge-only")


def choose(node: Node, call: PendingCall) -> ArmChoice | Decision:
    """Choose the arm for a call; without an alternative, the result is already a ``Decision``.

    Args:
        node: This node.
        call: The call.
    """
    if node.config.role == "edge":
        return _fixed(EDGE_ONLY, "this is an edge server; it runs the whole model", node, call)
    if node.peer is None:
        return _fixed(DEVICE_ONLY, "this device has no edge peer", node, call)
    node.peer.task_arrived()
    situation = _situation(node, call)
    if situation is None:
        return _fixed(DEVICE_ONLY, "this device has not measured itself yet", node, call)
    return node.policy(call.expert.model).choose(situation)


def decide(node: Node, call: PendingCall) -> Decision:
    """Choose the arm for a call, with the reason.

    Args:
        node: This node.
        call: The call.
    """
    chosen = choose(node, call)
    return chosen if isinstance(chosen, Decision) else chosen.decision()


def learn(node: Node, call: PendingCall, arm: Arm, costs: CostRecorder) -> None:
    """Update the policy after a call that completed without a fallback.

    Args:
        node: This node.
        call: The call.
        arm: The arm that completed it.
        costs: Its costs.
    """
    if situation := _situation(node, call):
        node.policy(call.expert.model).observe(
            situation,
            arm,
            device_ms=costs.own_ms,
            edge_ms=costs.peer_ms,
            bytes_up=costs.bytes_up,
        )


def _situation(node: Node, call: PendingCall) -> Situation | None:
    """Return the situation; None without a peer, or before this device has measured itself."""
    peer, model = node.peer, call.expert.model
    own = node.model_profile(model)
    if peer is None or own is None:
        return None
    return Situation(
        device=own,
        edge=peer.model(model),
        link=peer.link.state(),
        load=peer.load(model),
        image=call.facts,
        deadline_ms=max(0.0, call.left_s * 1000),
    )


def _fixed(arm: Arm, reason: str, node: Node, call: PendingCall) -> Decision:
    return Decision(
        arm=arm,
        reason=reason,
        forecasts=[],
        link=node.peer.link.state() if node.peer else None,
        deadline_ms=max(0.0, call.left_s * 1000),
    )
