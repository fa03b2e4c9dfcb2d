"""The cards as LangChain tools, for agents of other people."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import StructuredTool, ToolException

from edgewright.graphs.services.inputs import prepare
from edgewright.graphs.services.services import Services
from edgewright.tools.cards import ToolCard
from edgewright.tools.errors import EdgewrightError


async def make_tools(services: Services, *, deadline_s: float = 30.0) -> list[StructuredTool]:
    """Make a tool from each card that the node can run.

    A tool takes the card's arguments, a picture as ``store:<sha256>`` or ``camera:<name>``. Its
    content is the result's text and its artifact the report as JSON values. What goes wrong is
    told to the agent as the tool's answer with the status ``error``.

    Args:
        services: Opened services; they must stay open while the tools are used.
        deadline_s: Longest time for one call.

    Returns:
        Async tools, in the order of the cards.
    """
    runnable = {view.id for view in await services.node.tools() if view.available}
    return [_tool(card, services, deadline_s) for card in services.cards if card.id in runnable]


def _tool(card: ToolCard, services: Services, deadline_s: float) -> StructuredTool:
    async def call(**args: str) -> tuple[str, dict[str, Any]]:
        try:
            options, image = await prepare(card, args, services.images, deadline_s=deadline_s)
            response = await services.node.invoke(card.id, options, image)
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
