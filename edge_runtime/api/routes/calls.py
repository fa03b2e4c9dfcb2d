"""Raw routes for cards: carry one out, and choose an arm for it."""

from __future__ import annotations

from starlette.types import Receive, Scope

from edgewright.edge_runtime.api.bodies import read_decision_request, read_invocation
from edgewright.edge_runtime.api.routes.raw import while_connected
from edgewright.edge_runtime.execution import sensing
from edgewright.edge_runtime.execution.decision import decide
from edgewright.edge_runtime.execution.evidence import with_evidence
from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import prepare, prepare_decision
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.invocation import InvokeResponse
from edgewright.tools.errors import RefusedError

INVOKE_PATH = "/v1/tools/{card}:invoke"
DECIDE_PATH = "/v1/tools/{card}:decide"


async def invoke(node: Node, scope: Scope, receive: Receive) -> bytes:
    """Carry out a card.

    Args:
        node: The node.
        scope: The request's scope.
        receive: The request's receive function.
    """
    await node.refresh()
    options, image, facts = await read_invocation(scope, receive, node.config.limits)
    if (card := sensing.card_of(node, scope["path_params"]["card"])) is not None:
        work = sensing.carry_out(node, card, options, image, scope["caller"])
        return await while_connected(sensing.encoded(work), receive)
    try:
        call = await prepare(
            node,
            scope["path_params"]["card"],
            options,
            image,
            facts=facts,
            caller=scope["caller"],
        )
    except RefusedError as error:
        refusal = InvokeResponse(status="refused", error=error.info())
        return refusal.model_dump_json().encode()

    async def run() -> bytes:
        response = await with_evidence(node, call, await Execution(node, call).run())
        return response.model_dump_json().encode()

    return await while_connected(run(), receive)


async def choose(node: Node, scope: Scope, receive: Receive) -> bytes:
    """Return the arm that the node would choose for an invocation, without running anything.

    Args:
        node: The node.
        scope: The request's scope.
        receive: The request's receive function.
    """
    await node.refresh()
    body = await read_decision_request(scope, receive, node.config.limits)
    if (card := sensing.card_of(node, scope["path_params"]["card"])) is not None:
        return sensing.decide(node, card, body, scope["caller"]).model_dump_json().encode()
    call = await prepare_decision(node, scope["path_params"]["card"], body)
    return decide(node, call).model_dump_json().encode()
