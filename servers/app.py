"""The application factory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewright.edge_runtime.api.middleware import METRICS_PATH
from edgewright.edge_runtime.api.problems import http_exception, invalid_parameter
from edgewright.servers.console.pages import Pages
from edgewright.servers.console.routes import ConsoleRoutes
from edgewright.servers.console.sessions import SignIns
from edgewright.servers.front import Front
from edgewright.servers.mcp.server import McpServer
from edgewright.servers.mcp.transports import PATH, http_manager
from edgewright.servers.middleware import HEALTH_PATH, FrontMiddleware
from edgewright.servers.openai.errors import RequestError, error_response
from edgewright.servers.openai.openapi import describe
from edgewright.servers.openai.routes import PREFIX, Routes


def create_app(front: Front) -> FastAPI:
    """Make the application of a front.

    Args:
        front: The front, which is open as long as the application runs.
    """
    mcp = McpServer(front, local=False)
    sessions = http_manager(mcp, front)
    sign_ins = SignIns(secure=front.config.tls is not None)
    console = ConsoleRoutes(front, sign_ins)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with sessions.run(), mcp.watching(), console.watching():
            yield

    app = FastAPI(
        title="Edgewright",
        version=version("edgewright"),
        lifespan=lifespan,
        # The interactive pages load scripts from the internet, which may not be reachable.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.front = front
    app.include_router(Routes(front).router)
    app.add_api_route(HEALTH_PATH, _health, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route(METRICS_PATH, _metrics, methods=["GET"], include_in_schema=False)
    app.router.routes.append(Route(PATH, _Mcp(sessions)))
    app.include_router(console.router)
    app.include_router(Pages().router)
    app.add_middleware(FrontMiddleware, node=front, sign_ins=sign_ins)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, invalid_parameter)
    app.openapi = lambda: describe(app, secured=bool(front.config.keys))  # type: ignore[method-assign]
    return app


class _Mcp:
    """The protocol's endpoint, as plain ASGI.

    Args:
        sessions: What serves it.
    """

    def __init__(self, sessions: StreamableHTTPSessionManager) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._sessions.handle_request(scope, receive, send)


async def _health() -> dict[str, str]:
    return {"status": "ok"}


async def _metrics(request: Request) -> Response:
    """Return the metrics in Prometheus' text format."""
    front: Front = request.app.state.front
    return Response(front.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def _unknown(request: Request, error: Exception) -> Response:
    """Render an error of the router in the form of the interface that is called."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if not path.startswith(PREFIX):
        return await http_exception(request, error)
    fault = RequestError(f"{request.method} {path[:200]}: {error.detail.lower()}", code="not_found")
    response = error_response(fault)
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response
