"""The cards as LangChain tools, for agents of other people."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import StructuredTool, ToolException

from edgewright.graphs.services.inputs import prepare
from edgewright.graphs.services.services import NodeAccess
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.store import ImageStore


async def make_tools(
    node: NodeAccess, cards: CardRegistry, images: ImageStore, *, deadline_s: float = 30.0
) -> list[StructuredTool]:
    """Make a tool from each card that a node can run.

    A tool takes the card's arguments, a picture as ``store:<sha256>`` or ``camera:<name>``. Its
    content is the result's text and its artifact the report as JSON values. What goes wrong is
    told to the agent as the tool's answer with the status ``error``.

    Args:
        node: Who carries the cards out.
        cards: The cards.
        images: Where stored pictures lie.
        deadline_s: Longest time for one call.

    Returns:
        Async tools, in the order of the cards.
    """
    runnable = {view.id for view in await node.tools() if view.available}
    return [_tool(card, node, images, deadline_s) for card in cards if card.id in runnable]


def _tool(
    card: ToolCard, node: NodeAccess, images: ImageStore, deadline_s: float
) -> StructuredTool:
    async def call(**args: str) -> tuple[str, dict[str, Any]]:
        try:
            options, image = await prepare(card, args, images, deadline_s=deadline_s)
            response = await node.invoke(card.id, options, image)
        except EdgewrightError as error:
            raise ToolException(error.message) from error
        if response.error is not None:
            raise ToolException(response.error.message)
        report = response.report.model_dump(mode="json") if response.report else {}
        return str(response.output["text"]), report

    return StructuredTool.from_function(
        coroutine=call,
        name=card.id,
        description=card.description,
        args_schema=card.json_schema(),
        response_format="content_and_artifact",
        handle_tool_error=True,
    )
