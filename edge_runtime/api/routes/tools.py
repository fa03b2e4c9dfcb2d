"""What can be asked for, which arm it would take, and having it done."""

from __future__ import annotations

from fastapi import APIRouter, Request

from edgewright.edge_runtime.api.bodies import read_invocation
from edgewright.edge_runtime.execution.decision import decide
from edgewright.edge_runtime.execution.fallback import Execution
from edgewright.edge_runtime.execution.invocation import Call, prepare
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

    Send a picture as the body with the options in the header, or JSON. A question that the expert
    cannot know the answer to is no error: it gets the status ``refused``.
    """
    node: Node = request.app.state.node
    try:
        call = await _prepared(request, node, card)
    except RefusedError as error:
        return InvokeResponse(status="refused", error=error.info())
    return await Execution(node, call).run()


@router.post("/v1/tools/{card}:decide")
async def choose(request: Request, card: str) -> Decision:
    """Say which arm the node would take for an invocation, and run nothing."""
    node: Node = request.app.state.node
    return decide(node, await _prepared(request, node, card))


async def _prepared(request: Request, node: Node, card: str) -> Call:
    await node.refresh()
    options, picture = await read_invocation(request.scope, request.receive, node.config.limits)
    return await prepare(node, card, options, picture, request.scope["request_id"])
