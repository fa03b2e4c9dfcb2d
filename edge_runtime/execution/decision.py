"""Choosing the arm of a call from the node's current knowledge, and learning from its cost."""

from __future__ import annotations

from dataclasses import replace

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.invocation import PendingCall
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import PlannedTask
from edgewright.tools.offload.backlog import TaskCosts
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


def expected_costs(node: Node, call: PendingCall, arm: Arm) -> TaskCosts:
    """Return the costs that a call's arm is expected to have, zero if they are unknown.

    Args:
        node: This node.
        call: The call.
        arm: The arm that it takes.
    """
    model = call.expert.model
    return _costs(node, model, arm, call.facts) or TaskCosts(model, 0.0)


def learn(node: Node, call: PendingCall, arm: Arm, costs: CostRecorder) -> None:
    """Update the policy after a call that completed without a fallback.

    Args:
        node: This node.
        call: The call.
        arm: The arm that completed it.
        costs: Its costs.
    """
    if situation := _bare_situation(node, call.expert.model, call.facts):
        node.policy(call.expert.model).observe(
            situation, arm, costs.stages_ms, bytes_up=costs.bytes_up
        )


def _situation(node: Node, call: PendingCall) -> Situation | None:
    """Return the situation; None without a peer, or before this device has measured itself."""
    model = call.expert.model
    situation = _bare_situation(node, model, call.facts)
    if situation is None:
        return None
    planned = (_planned(node, task) for task in call.ahead)
    return replace(
        situation,
        deadline_ms=max(0.0, call.left_s * 1000),
        ahead=node.backlog.ahead(model, [costs for costs in planned if costs is not None]),
    )


def _bare_situation(node: Node, model: str, image: ImageFacts | None) -> Situation | None:
    """Return the situation of any task of a model, without its deadline and what is ahead."""
    peer, own = node.peer, node.model_profile(model)
    if peer is None or own is None:
        return None
    return Situation(
        device=own,
        edge=peer.model(model),
        link=peer.link.state(),
        load=peer.load(model),
        image=image,
    )


def _planned(node: Node, task: PlannedTask) -> TaskCosts | None:
    """Return the costs of a task that will be invoked; None if this node knows nothing of it."""
    if task.card not in node.cards:
        return None
    experts = node.experts_for(node.cards.get(task.card))
    models = [one.model for one in experts if task.expert in (None, one.id)]
    return _costs(node, models[0], task.arm, task.image) if models else None


def _costs(node: Node, model: str, arm: Arm, image: ImageFacts | None) -> TaskCosts | None:
    situation = _bare_situation(node, model, image)
    return None if situation is None else node.policy(model).costs(situation, arm)


def _fixed(arm: Arm, reason: str, node: Node, call: PendingCall) -> Decision:
    return Decision(
        arm=arm,
        reason=reason,
        forecasts=[],
        link=node.peer.link.state() if node.peer else None,
        deadline_ms=max(0.0, call.left_s * 1000),
    )
