"""The cards as LangChain tools, for use in other agents."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import StructuredTool, ToolException

from edgewright.graphs.services.inputs import inputs_of
from edgewright.graphs.services.services import Services
from edgewright.tools.cards import ToolCard
from edgewright.tools.errors import EdgewrightError


async def make_tools(services: Services, *, deadline_s: float = 30.0) -> list[StructuredTool]:
    """Make a tool from each card that the node can run.

    A tool takes the card's arguments, an image as ``store:<sha256>`` or ``camera:<name>``. It
    returns the result's text as its content and the cost report, as JSON values, as its artifact.
    An error is returned to the agent as a tool message with the status ``error``.

    Args:
        services: Opened services; they must stay open while the tools are used.
        deadline_s: Maximum time for one call, in seconds.

    Returns:
        Async tools, in the order of the cards.
    """
    runnable = {view.id for view in await services.node.tools() if view.available}
    return [_tool(card, services, deadline_s) for card in services.cards if card.id in runnable]


def _tool(card: ToolCard, services: Services, deadline_s: float) -> StructuredTool:
    async def call(**args: str) -> tuple[str, dict[str, Any]]:
        try:
            inputs = inputs_of(card, args, services.images, deadline_s=deadline_s)
            response = await services.node.invoke(card.id, inputs.options, await inputs.data())
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
