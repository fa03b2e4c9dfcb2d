"""Routes of the Open Inference Protocol: the server, a model with its tensors, inference."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from edgewright.edge_runtime.api.bodies import count_in, header, read_body, validated
from edgewright.edge_runtime.api.open_inference import (
    OUTPUT,
    ServerView,
    described,
    server_view,
    worker_of,
)
from edgewright.edge_runtime.api.open_inference import infer as infer_output
from edgewright.edge_runtime.api.routes.raw import while_connected
from edgewright.edge_runtime.api.tensors import InferenceRequest, response_body
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import InputError, UnavailableError

router = APIRouter(tags=["inference"])

INFER_PATH = "/v2/models/{model}/infer"
VERSIONED = "/v2/models/{model}/versions/{version}"
JSON_LENGTH_HEADER = "Inference-Header-Content-Length"


class ModelReady(BaseModel):
    """Whether a model is loaded."""

    name: str
    ready: bool = True


@router.get("/v2")
async def server() -> ServerView:
    """Describe the server."""
    return server_view()


@router.get("/v2/models/{model}")
async def describe_model(request: Request, model: str) -> ModelView:
    """Describe a model with its tensors; it is loaded first, if it was not."""
    return await described(request.app.state.node, model)


@router.get(VERSIONED)
async def describe_version(request: Request, model: str, version: str) -> ModelView:
    """Describe a version of a model; a node has one of each."""
    return await described(request.app.state.node, model, version)


@router.get("/v2/models/{model}/ready")
async def model_ready(request: Request, model: str) -> ModelReady:
    """Report whether a model is loaded; others are loaded by their first call."""
    return _ready(request.app.state.node, model)


@router.get(f"{VERSIONED}/ready")
async def version_ready(request: Request, model: str, version: str) -> ModelReady:
    """Report whether a version of a model is loaded."""
    return _ready(request.app.state.node, model, version)


@router.post(INFER_PATH, response_class=Response)
async def infer(request: Request, model: str) -> Response:
    """Run a model on images or on its own input, and return its output."""
    return await _infer(request, model)


@router.post(f"{VERSIONED}/infer", response_class=Response)
async def infer_version(request: Request, model: str, version: str) -> Response:
    """Run a version of a model."""
    return await _infer(request, model, version)


def _ready(node: Node, model: str, version: str | None = None) -> ModelReady:
    if not worker_of(node, model, version).loaded:
        raise UnavailableError(
            f"the model {model!r} is not loaded; its first call loads it", code="not_loaded"
        )
    return ModelReady(name=model)


async def _infer(request: Request, model: str, version: str | None = None) -> Response:
    node: Node = request.app.state.node
    worker_of(node, model)
    body = await read_body(request.scope, request.receive, node.config.limits)
    wanted, binary = _split(body, header(request.scope, JSON_LENGTH_HEADER.lower().encode()))
    call = infer_output(node, model, version, wanted, binary, caller=request.scope["caller"])
    result = await while_connected(call, request.receive)
    head = {"model_name": model, "model_version": result.version, "id": wanted.id or ""}
    content, length = response_body(head, OUTPUT, result.output, binary=wanted.is_binary(OUTPUT))
    if length is None:
        return Response(content, media_type="application/json")
    headers = {JSON_LENGTH_HEADER: str(length)}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _split(body: bytes, length: bytes | None) -> tuple[InferenceRequest, bytes]:
    """Return the request, and the bytes after its JSON."""
    if length is None:
        return validated(InferenceRequest, body, "body"), b""
    end = count_in(length)
    if end is None or end > len(body):
        raise InputError(
            f"{JSON_LENGTH_HEADER} must be the length of the JSON at the begin of the body",
            code="invalid_body",
        )
    return validated(InferenceRequest, body[:end], "body"), body[end:]
