"""The server: what clients list, call and read, and their notification when a card appears."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, TypeVar

from mcp.server import NotificationOptions, Server
from mcp.server.context import ServerRequestContext
from mcp.server.models import InitializationOptions
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from edgewright.edge_runtime.keys import ALL_SCOPES, Caller
from edgewright.servers.front import Front
from edgewright.servers.mcp.calls import call_ask, call_card, call_plan, failure
from edgewright.servers.mcp.progress import reporting
from edgewright.servers.mcp.resources import list_resources, list_templates, read_resource
from edgewright.servers.mcp.tools import ASK, PLAN, TRAIN, check_arguments, list_tools
from edgewright.servers.mcp.training import call_train
from edgewright.tools.errors import EdgewrightError, NotFoundError
from edgewright.tools.federated.serving.installed import installed_at
from edgewright.tools.tracing import identified, rename

log = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Any]
Called = CallToolResult | InputRequiredResult

_Result = TypeVar("_Result")

_INSTRUCTIONS = (
    "Tools over images, run where that is cheapest: on a device, on an edge server, or split "
    "between them. 'ask' takes a request in plain language and plans it over all of them."
)
#: Time between two looks for new cards, in seconds.
_LOOK_S = 2.0
#: The caller over standard input and output, who has this machine's user's permissions.
_STARTED_BY = Caller("stdio", scopes=ALL_SCOPES)
#: Maximum number of sessions that are notified of new cards.
_MAX_SESSIONS = 1000


class McpServer(Server[Any]):
    """The server of the protocol.

    Args:
        front: The front.
        local: Whether callers are programs of this machine's user, who may name files and need no
            key.
    """

    def __init__(self, front: Front, *, local: bool) -> None:
        self._front = front
        self._local = local
        self._bus = InMemorySubscriptionBus()
        #: Sessions of clients that do not subscribe, by the id of their connection.
        self._sessions: dict[int, ServerSession] = {}
        self._installed_at = installed_at()
        super().__init__(
            "edgewright",
            title="Edgewright",
            version=version("edgewright"),
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscriptions_listen=ListenHandler(self._bus),
        )

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Return the options, which say that the list of tools may change."""
        changing = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(
            changing, experimental_capabilities, extensions
        )

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Tell clients of cards that appear while the block runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            stamp = await asyncio.to_thread(installed_at)
            if stamp != self._installed_at:
                self._installed_at = stamp
                await self._front.session.services.refresh()
                await self._announce()

    async def _announce(self) -> None:
        await self._bus.publish(ToolsListChanged())
        for key, session in list(self._sessions.items()):
            try:
                await session.send_tool_list_changed()
            except Exception:  # noqa: BLE001 - the client has left
                self._sessions.pop(key, None)

    async def _list_tools(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        self._sessions[id(context.session._connection)] = context.session
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        return ListToolsResult(tools=await _reported(list_tools(self._front, local=self._local)))

    async def _call_tool(self, context: Context, params: CallToolRequestParams) -> Called:
        try:
            caller = self._caller(context)
            if params.name == TRAIN:
                caller.require("train")
            return await self._front.start(
                caller.name, lambda: self._traced_call(context, params, caller)
            )
        except EdgewrightError as error:
            return failure(error)

    async def _traced_call(
        self, context: Context, params: CallToolRequestParams, caller: Caller
    ) -> Called:
        """Carry out a call as a request: over either transport, nothing began one before."""
        headers = {} if context.request is None else context.request.headers
        known = {"mcp.method.name": "tools/call"}
        with (
            identified(secrets.token_hex(8)),
            self._front.tracing.trace("tools/call", headers, known),
        ):
            return await self._call(context, params, caller)

    async def _call(
        self, context: Context, params: CallToolRequestParams, caller: Caller
    ) -> Called:
        tools = await list_tools(self._front, local=self._local)
        tool = next((each for each in tools if each.name == params.name), None)
        if tool is None:
            raise NotFoundError(
                f"there is no tool {params.name[:100]!r}; list the tools", code="unknown_tool"
            )
        rename(f"tools/call {tool.name}")
        arguments = params.arguments or {}
        check_arguments(tool, arguments)
        if tool.name == PLAN:
            return await call_plan(self._front, arguments, local=self._local)
        if tool.name not in (ASK, TRAIN):
            return await call_card(self._front, tool.name, arguments, local=self._local)
        async with reporting(context.session) as progress:
            if tool.name == ASK:
                return await call_ask(
                    self._front, arguments, progress, caller=caller, local=self._local
                )
            allowed = None if self._local else self._front.config.data
            return await call_train(context, params, progress, allowed=allowed)

    def _caller(self, context: Context) -> Caller:
        """Return who calls: whoever started this program, or as the request was admitted."""
        if self._local:
            return _STARTED_BY
        assert context.request is not None, "over HTTP, a call comes in a request"
        caller: Caller = context.request.scope["caller"]
        return caller

    async def _list_resources(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        return ListResourcesResult(resources=await list_resources())

    async def _list_templates(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=list_templates())

    async def _read_resource(
        self, context: Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        return await _reported(read_resource(self._front, str(params.uri)))


async def _reported(work: Awaitable[_Result]) -> _Result:
    """Return the result of some work; an error becomes one of the protocol."""
    try:
        return await work
    except EdgewrightError as error:
        raise MCPError(
            INVALID_PARAMS, error.message, error.info().model_dump(mode="json")
        ) from None
