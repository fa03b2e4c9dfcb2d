"""The application factory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from edgewright.edge_runtime.api.middleware import NodeMiddleware
from edgewright.edge_runtime.api.openapi import describe
from edgewright.edge_runtime.api.problems import http_exception, invalid_parameter
from edgewright.edge_runtime.api.routes import (
    artifacts,
    calls,
    inference,
    models,
    moods,
    sensors,
    tools,
)
from edgewright.edge_runtime.api.routes import tail as split
from edgewright.edge_runtime.api.routes.raw import raw_route
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.nodes.client import NodeClient


def create_app(
    config: NodeConfig,
    *,
    workers: WorkerPool | None = None,
    peer_clients: Mapping[str, NodeClient] | None = None,
) -> FastAPI:
    """Make a node's application; ``app.state.node`` is the node.

    Args:
        config: The node's configuration.
        workers: Its model workers; None creates them from the configuration.
        peer_clients: Clients of its peers by name; others are created from the configuration.
    """
    node = Node(config, workers, peer_clients)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with node.running():
            yield

    app = FastAPI(
        title="Edgewright node",
        version=version("edgewright"),
        lifespan=lifespan,
        # The interactive pages load scripts from the internet, which a node may not reach.
        docs_url=None,
        redoc_url=None,
        # A redirect would name the host that the caller named.
        redirect_slashes=False,
    )
    app.state.node = node
    # First in the routing table, because their latency matters most.
    app.router.routes[:0] = [
        raw_route(node, split.PATH, split.tail, name="tail"),
        raw_route(node, calls.INVOKE_PATH, calls.invoke, name="invoke"),
        raw_route(node, calls.DECIDE_PATH, calls.choose, name="decide"),
    ]
    app.include_router(tools.router)
    app.include_router(models.router)
    app.include_router(sensors.router)
    app.include_router(moods.router)
    app.include_router(inference.router)
    app.include_router(artifacts.router)
    app.add_middleware(NodeMiddleware, node=node)
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(RequestValidationError, invalid_parameter)
    app.openapi = lambda: describe(app, node)  # type: ignore[method-assign]
    return app
