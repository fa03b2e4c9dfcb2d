"""Route that lists cards; ``calls.py`` has those that carry one out."""

from __future__ import annotations

from fastapi import APIRouter, Request

from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.views import CardView

router = APIRouter(tags=["tools"])


@router.get("/v1/tools")
async def list_tools(request: Request) -> list[CardView]:
    """List the cards with the JSON schemas of their arguments."""
    node: Node = request.app.state.node
    await node.refresh()
    return [CardView.of(node.status(card)) for card in node.cards]
