"""Serving the interfaces: the socket, the session behind it, and a graceful end."""

from __future__ import annotations

import asyncio
import functools
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from edgewright.agents.planner.request import PlanRequest
from edgewright.edge_runtime.serve import (
    Server,
    listen,
    loop_factory,
    on_stdin,
    url_of,
    uvicorn_config,
)
from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.session import Session, open_session
from edgewright.graphs.assistant.training import LocalTrainer
from edgewright.graphs.services.private_node import PrivateNode
from edgewright.graphs.services.services import open_services
from edgewright.servers.app import create_app
from edgewright.servers.config import ServeConfig
from edgewright.servers.data import check_source
from edgewright.servers.front import Front
from edgewright.servers.mcp import transports
from edgewright.tools.settings import Settings

_START_STEP_S = 0.02
_FIRST_REQUEST = "What is this?"


def serve(
    config: ServeConfig,
    settings: Settings,
    *,
    on_ready: Callable[[str], None],
    attached: bool = False,
) -> None:
    """Serve until a signal stops it.

    Args:
        config: The configuration.
        settings: The node and the chat model behind the session.
        on_ready: Called with the URL, once requests are answered.
        attached: Also stop when standard input closes.

    Raises:
        EdgewrightError: The port is in use, or the session cannot be opened.
    """
    with listen(config) as listener, asyncio.Runner(loop_factory=loop_factory()) as runner:
        # Of a socket that is bound and does not listen yet, callers are refused, not kept waiting.
        runner.run(serve_on(listener, config, settings, on_ready=on_ready, attached=attached))


async def serve_on(
    listener: socket.socket,
    config: ServeConfig,
    settings: Settings,
    *,
    on_ready: Callable[[str], None],
    attached: bool = False,
) -> None:
    """Serve on a bound socket until a signal stops it; see ``serve``.

    Args:
        listener: The socket.
        config: The configuration.
        settings: The node and the chat model behind the session.
        on_ready: Called with the URL, once requests are answered.
        attached: Also stop when standard input closes.
    """
    async with open_shared_session(settings, config.data) as session:
        front = Front(config, session)
        server = Server(uvicorn_config(config, create_app(front)), front)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        if attached:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), on_stdin(server))
        while not (server.started or serving.done()):
            await asyncio.sleep(_START_STEP_S)
        if not serving.done():
            on_ready(url_of(config, listener))
        await serving
        await asyncio.to_thread(front.tracing.close)


def serve_stdio(settings: Settings) -> None:
    """Serve MCP on standard input and output until the input is closed.

    Args:
        settings: The node and the chat model behind the session.

    Raises:
        EdgewrightError: The session cannot be opened.
    """

    async def run() -> None:
        async with open_shared_session(settings, None) as session:
            front = Front(ServeConfig(), session)
            await transports.serve_stdio(front)
            await asyncio.to_thread(front.tracing.close)

    asyncio.run(run())


@asynccontextmanager
async def open_shared_session(
    settings: Settings, data: Sequence[Path] | None
) -> AsyncIterator[Session]:
    """Open a session for a server, with what takes long done, so that no caller waits.

    Args:
        settings: The node and the chat model.
        data: What may be trained on besides the named data sets; None allows everything.
    """
    async with AsyncExitStack() as stack:
        private = None
        if not settings.node_url:
            private = await stack.enter_async_context(PrivateNode())
            private.start()
        services = await stack.enter_async_context(open_services(settings, node=private))
        # The planner loads its model with its first request, which should be nobody's.
        await asyncio.to_thread(services.planner.plan, PlanRequest(text=_FIRST_REQUEST))
        check = functools.partial(check_source, allowed=data)
        trainer = LocalTrainer(services.chat, check_source=check)
        context = AssistantContext(services=services, trainer=trainer)
        yield await stack.enter_async_context(open_session(context, keep=False))
