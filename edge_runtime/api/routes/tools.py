"""Routes for cards: list them, choose an arm for a call, and run it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from edgewright.edge_runtime.api.bodies import read_decision_request, read_invocation
from edgewright.edge_runtime.execution.decision import decide
from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import prepare, prepare_decision
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.invocation import InvokeResponse
from edgewright.tools.contracts.views import CardView
from edgewright.tools.errors import RefusedError

router = APIRouter(tags=["tools"])


@router.get("/v1/tools")
async def list_tools(request: Request) -> list[CardView]:
    """List the cards with the JSON schemas of their arguments."""
    node: Node = request.app.state.node
    await node.refresh()
    return [CardView.of(node.status(card)) for card in node.cards]


@router.post("/v1/tools/{card}:invoke")
async def invoke(request: Request, card: str) -> InvokeResponse:
    """Carry out a card.

    Send an image as the body with the options in the header, or JSON. A question that the expert
    cannot answer is not an error: the response has the status ``refused``.
    """
    node: Node = request.app.state.node
    await node.refresh()
    options, image = await read_invocation(request.scope, request.receive, node.config.limits)
    try:
        call = await prepare(node, card, options, image, request.scope["request_id"])
    except RefusedError as error:
        return InvokeResponse(status="refused", error=error.info())
    return await Execution(node, call).run()


@router.post("/v1/tools/{card}:decide")
async def choose(request: Request, card: str) -> Decision:
    """Return the arm that the node would choose for an invocation, without running anything.

    Send JSON with the image's type and size; only the invocation needs its bytes.
    """
    node: Node = request.app.state.node
    await node.refresh()
    body = await read_decision_request(request.scope, request.receive, node.config.limits)
    return decide(node, await prepare_decision(node, card, body))
