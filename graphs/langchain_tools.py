"""The cards as LangChain tools, for use in other agents."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from langchain_core.tools import StructuredTool, ToolException

from edgewright.graphs.services.inputs import inputs_of
from edgewright.graphs.services.services import Services
from edgewright.tools.cards import ToolCard
from edgewright.tools.errors import EdgewrightError

_Result = TypeVar("_Result")


async def make_tools(services: Services, *, deadline_s: float = 30.0) -> list[StructuredTool]:
    """Make a tool from each card that the node can run.

    A tool takes the card's arguments, an image as ``store:<sha256>`` or ``camera:<name>``. It
    returns the result's text as its content and the cost report, as JSON values, as its artifact.
    An error is returned to the agent as a tool message with the status ``error``.

    The services belong to the event loop that makes the tools. Called from another thread, with or
    without a loop of its own, a tool runs in that loop all the same. The loop must be running: call
    tools with ``ainvoke`` in its own thread.

    Args:
        services: Opened services; they must stay open while the tools are used.
        deadline_s: Maximum time for one call, in seconds.

    Returns:
        Tools in the order of the cards.
    """
    loop = asyncio.get_running_loop()
    runnable = {view.id for view in await services.node.tools() if view.available}
    cards = [card for card in services.cards if card.id in runnable]
    return [_tool(card, services, loop, deadline_s) for card in cards]


def _tool(
    card: ToolCard, services: Services, loop: asyncio.AbstractEventLoop, deadline_s: float
) -> StructuredTool:
    async def run(args: dict[str, str]) -> tuple[str, dict[str, Any]]:
        try:
            inputs = inputs_of(card, args, services.images, deadline_s=deadline_s)
            response = await services.node.invoke(card.id, inputs.options, await inputs.data())
        except EdgewrightError as error:
            raise ToolException(error.message) from error
        if response.error is not None:
            raise ToolException(response.error.message)
        report = response.report.model_dump(mode="json") if response.report else {}
        return str(response.output["text"]), report

    async def call(**args: str) -> tuple[str, dict[str, Any]]:
        return await _in_loop(run(args), loop)

    def call_from_thread(**args: str) -> tuple[str, dict[str, Any]]:
        return _from_thread(run(args), loop)

    return StructuredTool.from_function(
        func=call_from_thread,
        coroutine=call,
        name=card.id,
        description=card.description,
        args_schema=card.json_schema(),
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


async def _in_loop(work: Coroutine[Any, Any, _Result], loop: asyncio.AbstractEventLoop) -> _Result:
    """Await in a loop that may be another thread's; cancelling this cancels the work."""
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(_submitted(work, loop))


def _from_thread(work: Coroutine[Any, Any, _Result], loop: asyncio.AbstractEventLoop) -> _Result:
    """Wait in a thread until a loop has done the work; an interruption cancels it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pending = _submitted(work, loop)
        try:
            return pending.result()
        except BaseException:
            pending.cancel()
            raise
    work.close()
    raise ToolException("an event loop runs in this thread: call this tool with 'ainvoke'")


def _submitted(
    work: Coroutine[Any, Any, _Result], loop: asyncio.AbstractEventLoop
) -> Future[_Result]:
    """Hand work to a loop.

    Raises:
        ToolException: The loop does not run.
    """
    if not loop.is_running():
        work.close()
        raise ToolException(
            "the event loop that made this tool does not run; "
            "call the tool while that loop and its services are open"
        )
    return asyncio.run_coroutine_threadsafe(work, loop)
