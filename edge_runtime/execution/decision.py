"""Choosing the arm of a call with all that this node knows, and learning from what it took."""

from __future__ import annotations

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.invocation import Call
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.offload.choice import ArmChoice, Situation

DEVICE_ONLY = Arm(kind="device-only")
#: The picture as it is, not coded anew.
EDGE_ONLY = Arm(kind="edge-only")


def choose(node: Node, call: Call) -> ArmChoice | Decision:
    """Choose the arm for a call; a choice that had no alternative is a decision at once.

    Args:
        node: This node.
        call: What is to be run.
    """
    if node.config.role == "edge":
        return _only(EDGE_ONLY, "this is an edge server; it runs the whole model", node, call)
    if node.peer is None:
        return _only(DEVICE_ONLY, "this device has no edge peer", node, call)
    node.peer.wanted()
    situation = _situation(node, call)
    if situation is None:
        return _only(DEVICE_ONLY, "this device has not measured itself yet", node, call)
    return node.policy(call.expert.model).choose(situation)


def decide(node: Node, call: Call) -> Decision:
    """Choose the arm for a call, and say why.

    Args:
        node: This node.
        call: What is to be run.
    """
    chosen = choose(node, call)
    return chosen if isinstance(chosen, Decision) else chosen.decision()


def learn(node: Node, call: Call, arm: Arm, bill: CostRecorder) -> None:
    """Learn from a call that its arm completed without a fallback.

    Args:
        node: This node.
        call: What was run.
        arm: How.
        bill: What it took.
    """
    if situation := _situation(node, call):
        node.policy(call.expert.model).observe(
            situation,
            arm,
            device_ms=bill.own_ms,
            edge_ms=bill.peer_ms,
            bytes_up=bill.bytes_up,
        )


def _situation(node: Node, call: Call) -> Situation | None:
    """Return what is known; None where nothing is ever chosen, or nothing was measured yet."""
    peer, model = node.peer, call.expert.model
    own = node.model_profile(model)
    if peer is None or own is None:
        return None
    return Situation(
        device=own,
        edge=peer.model(model),
        link=peer.link.state(),
        load=peer.load(model),
        image=call.header,
        deadline_ms=max(0.0, call.left_s * 1000),
    )


def _only(arm: Arm, reason: str, node: Node, call: Call) -> Decision:
    return Decision(
        arm=arm,
        reason=reason,
        forecasts=[],
        link=node.peer.link.state() if node.peer else None,
        deadline_ms=max(0.0, call.left_s * 1000),
    )
