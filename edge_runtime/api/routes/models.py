"""Routes about the node itself: health and models (KServe's paths), profile, metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from edgewright.edge_runtime.api.bodies import read_body
from edgewright.edge_runtime.api.middleware import METRICS_PATH
from edgewright.edge_runtime.api.open_inference import model_view
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.invocation import LinkProbe
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import UnavailableError

router = APIRouter()

PROBE_PATH = "/v1/probe"
PROFILE_PATH = "/v1/profile"


class Live(BaseModel):
    """The process answers."""

    live: Literal[True] = True


class Ready(BaseModel):
    """The models of ``preload`` are loaded."""

    ready: Literal[True] = True


@router.head("/v2/health/live", include_in_schema=False)
@router.get("/v2/health/live", tags=["health"])
async def live() -> Live:
    """Report that the process is alive."""
    return Live()


@router.head("/v2/health/ready", include_in_schema=False)
@router.get("/v2/health/ready", tags=["health"])
async def ready(request: Request) -> Ready:
    """Report whether the node accepts work."""
    node: Node = request.app.state.node
    if node.draining:
        raise UnavailableError("this node is stopping; use another one", code="draining")
    if not node.ready:
        raise UnavailableError("the models are still loading; try again later", code="loading")
    return Ready()


@router.get("/v2/models", tags=["models"])
async def list_models(request: Request) -> list[ModelView]:
    """List the models that this node can run."""
    node: Node = request.app.state.node
    return [model_view(worker) for worker in node.workers]


@router.get(PROFILE_PATH, tags=["node"])
async def profile(request: Request, peers: Literal["true", "false"] = "true") -> NodeProfile:
    """Return the node's own times and, with ``peers``, those of its peers."""
    node: Node = request.app.state.node
    current = node.current_profile()
    return current if peers == "true" else current.model_copy(update={"peers": {}})


@router.post(PROBE_PATH, tags=["node"])
async def probe(request: Request) -> LinkProbe:
    """Read a body and discard it, so that a device can time it; return the models' load."""
    node: Node = request.app.state.node
    await read_body(request.scope, request.receive, node.config.limits)
    return LinkProbe(load=node.workers.loads())


@router.get(METRICS_PATH, tags=["node"], response_class=Response)
async def metrics(request: Request) -> Response:
    """Return the node's metrics in Prometheus' text format."""
    node: Node = request.app.state.node
    return Response(node.metrics.render(), media_type=CONTENT_TYPE_LATEST)
