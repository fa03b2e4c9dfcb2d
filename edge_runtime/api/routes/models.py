"""Routes about the node itself: health and models (KServe's paths), profile, sensors, metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from edgewright.edge_runtime.api.bodies import read_body
from edgewright.edge_runtime.api.middleware import METRICS_PATH
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.contracts.invocation import LinkProbe
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.contracts.views import ModelView, SensorView
from edgewright.tools.errors import UnavailableError
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE

router = APIRouter()

PROBE_PATH = "/v1/probe"


class Live(BaseModel):
    """The process answers."""

    live: Literal[True] = True


class Ready(BaseModel):
    """The models of ``preload`` are loaded."""

    ready: Literal[True] = True


@router.get("/v2/health/live", tags=["health"])
async def live() -> Live:
    """Report that the process is alive."""
    return Live()


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
    return [_view(worker) for worker in node.workers]


@router.get("/v2/models/{model}", tags=["models"])
async def describe_model(request: Request, model: str) -> ModelView:
    """Describe a model; its version and partition points are known once it was loaded."""
    node: Node = request.app.state.node
    return _view(node.workers.worker(model))


@router.get("/v1/profile", tags=["node"])
async def profile(request: Request) -> NodeProfile:
    """Return the node's own times, the state of its link, and its peer's profile."""
    node: Node = request.app.state.node
    return node.current_profile()


@router.post(PROBE_PATH, tags=["node"])
async def probe(request: Request) -> LinkProbe:
    """Read a body and discard it, so that a device can time it; return the models' load."""
    node: Node = request.app.state.node
    await read_body(request.scope, request.receive, node.config.limits)
    return LinkProbe(load=node.workers.loads())


@router.get("/v1/sensors", tags=["node"])
async def sensors(request: Request) -> list[SensorView]:
    """List the node's sensors and their items."""
    node: Node = request.app.state.node
    if node.config.camera is None:
        return []
    return [SensorView(kind="camera", name="camera", items=node.camera.names())]


@router.get(METRICS_PATH, tags=["node"], response_class=Response)
async def metrics(request: Request) -> Response:
    """Return the node's metrics in Prometheus' text format."""
    node: Node = request.app.state.node
    return Response(node.metrics.render(), media_type=CONTENT_TYPE_LATEST)


def _view(worker: ModelWorker) -> ModelView:
    description = worker.description
    inputs = [{"name": "image", "datatype": "BYTES", "shape": [1]}]
    if description:
        inputs.append(
            {"name": "frame", "datatype": "BYTES", "shape": [1], "type": FRAME_MEDIA_TYPE}
        )
    return ModelView(
        name=worker.model,
        versions=[description["revision"]] if description else [],
        inputs=inputs,
        outputs=[{"name": "output", "datatype": "BYTES", "shape": [1]}],
        ready=worker.loaded,
        partition_points=len(description["blocks"]) + 1 if description else 0,
    )
