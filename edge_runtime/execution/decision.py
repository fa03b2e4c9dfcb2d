"""Choosing the arm of a call from the node's current knowledge, and learning from its cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from edgewright.edge_runtime.execution.cost_report import CostRecorder
from edgewright.edge_runtime.execution.invocation import PendingCall
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Arm, Decision, Precision, server_words
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import PlannedTask
from edgewright.tools.models.expert import Expert
from edgewright.tools.offload.backlog import TaskCosts
from edgewright.tools.offload.choice import ArmChoice, Situation

DEVICE_ONLY = Arm(kind="device-only")
#: The image is sent unchanged; on a server itself, the arm that it has without a peer.
EDGE_ONLY = Arm(kind="edge-only")


def choose(node: Node, call: PendingCall, without: Collection[str] = ()) -> ArmChoice | Decision:
    """Choose the arm for a call; without an alternative, the result is already a ``Decision``.

    Args:
        node: This node.
        call: The call.
        without: Names of peers that have failed it.
    """
    if node.config.role != "device" and not (node.peers and call.forward):
        where = server_words(node.config.role)
        return _fixed(EDGE_ONLY, f"this is {where}; it runs the whole model", call)
    for peer in node.peers.values():
        peer.task_arrived()
    local = local_arm(node)
    if not _chooses(node, call.expert.model):
        return _fixed(local, "this device has no edge peer", call)
    situation = _situation(node, call, without)
    if situation is None:
        return _fixed(local, f"this {node.config.role} has not measured itself yet", call)
    return node.policy(call.expert.model).choose(situation)


def _chooses(node: Node, model: str) -> bool:
    """Return whether a node has arms to choose between: a server without a peer has only one."""
    if node.peers:
        return True
    return node.config.role == "device" and bool(node.precisions(model))


def local_arm(node: Node, precision: Precision = "fp32") -> Arm:
    """Return the arm that uses no peer: on a server, the rest of its callers' ``edge-only``.

    Args:
        node: This node.
        precision: Precision of the model.
    """
    arm = DEVICE_ONLY if node.config.role == "device" else EDGE_ONLY
    return arm.model_copy(update={"precision": precision})


def decide(node: Node, call: PendingCall) -> Decision:
    """Choose the arm for a call, with the reason.

    Args:
        node: This node.
        call: The call.
    """
    chosen = choose(node, call)
    if isinstance(chosen, Decision):
        return chosen
    decision = chosen.decision()
    if node.config.role == "device":
        return decision
    forecasts = [
        one.model_copy(update={"arm": executed_arm(node, one.arm)}) for one in decision.forecasts
    ]
    arm = executed_arm(node, decision.arm)
    return decision.model_copy(update={"arm": arm, "forecasts": forecasts})


def executed_arm(node: Node, arm: Arm) -> Arm:
    """Return the arm to execute for one that the policy chose."""
    return local_arm(node, arm.precision) if arm.peer is None else arm


def expected_costs(node: Node, call: PendingCall, arm: Arm) -> TaskCosts:
    """Return the costs that a call's arm is expected to have, zero if they are unknown.

    Args:
        node: This node.
        call: The call.
        arm: The arm that it takes.
    """
    return _costs(node, call.expert, arm, call.facts) or TaskCosts(call.expert.model, 0.0)


def learn(node: Node, call: PendingCall, arm: Arm, costs: CostRecorder) -> None:
    """Update the policy after a call that completed without a fallback, if it ever decides.

    Args:
        node: This node.
        call: The call.
        arm: The arm that completed it.
        costs: Its costs.
    """
    # What was known of an image before says nothing of what another one takes.
    if costs.cached or not _chooses(node, call.expert.model):
        return
    if situation := _bare_situation(node, call.expert, call.facts):
        node.policy(call.expert.model).observe(
            situation, _profiled(node, arm), costs.stages_ms, bytes_up=costs.bytes_up
        )


def _profiled(node: Node, arm: Arm) -> Arm:
    """Return the policy's arm for one that is executed."""
    if node.config.role == "device" or arm.peer is not None:
        return arm
    return DEVICE_ONLY.model_copy(update={"precision": arm.precision})


def _situation(node: Node, call: PendingCall, without: Collection[str]) -> Situation | None:
    """Return the situation; None before this node has measured itself."""
    model = call.expert.model
    situation = _bare_situation(node, call.expert, call.facts, without)
    if situation is None:
        return None
    planned = (_planned(node, task) for task in call.ahead)
    return replace(
        situation,
        deadline_ms=max(0.0, call.left_s * 1000),
        ahead=node.backlog.ahead(model, [costs for costs in planned if costs is not None]),
    )


def _bare_situation(
    node: Node, expert: Expert, image: ImageFacts | None, without: Collection[str] = ()
) -> Situation | None:
    """Return the situation of any task of an expert, without its deadline and what is ahead."""
    own = node.model_profile(expert.model)
    if own is None:
        return None
    peers = {
        name: one.server(expert.model) for name, one in node.peers.items() if name not in without
    }
    return Situation(device=own, peers=peers, image=image, expert=expert.id)


def _planned(node: Node, task: PlannedTask) -> TaskCosts | None:
    """Return the costs of a task that will be invoked; None if this node knows nothing of it."""
    if task.card not in node.cards:
        return None
    experts = node.experts_for(node.cards.get(task.card))
    chosen = next((one for one in experts if task.expert in (None, one.id)), None)
    return None if chosen is None else _costs(node, chosen, task.arm, task.image)


def _costs(node: Node, expert: Expert, arm: Arm, image: ImageFacts | None) -> TaskCosts | None:
    situation = _bare_situation(node, expert, image)
    if situation is None:
        return None
    return node.policy(expert.model).costs(situation, _profiled(node, arm))


def _fixed(arm: Arm, reason: str, call: PendingCall) -> Decision:
    return Decision(
        arm=arm,
        reason=reason,
        forecasts=[],
        deadline_ms=max(0.0, call.left_s * 1000),
    )
