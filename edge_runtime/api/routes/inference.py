"""Routes of the Open Inference Protocol: the server, a model with its tensors, inference."""

from __future__ import annotations

import asyncio
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from edgewright.edge_runtime.api.bodies import count_in, header, read_body, validated
from edgewright.edge_runtime.api.routes.raw import while_connected
from edgewright.edge_runtime.api.tensors import (
    InferenceRequest,
    RequestInput,
    read_images,
    read_values,
    response_body,
)
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import InputError, NotFoundError, UnavailableError

router = APIRouter(tags=["inference"])

INFER_PATH = "/v2/models/{model}/infer"
VERSIONED = "/v2/models/{model}/versions/{version}"
JSON_LENGTH_HEADER = "Inference-Header-Content-Length"
#: Inputs: encoded images, or the network's own input.
IMAGE, TENSOR = "image", "input"
OUTPUT = "output"


class ServerView(BaseModel):
    """What the server is and can do."""

    name: str = "edgewright"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


class ModelReady(BaseModel):
    """Whether a model is loaded."""

    name: str
    ready: bool = True


@router.get("/v2")
async def server() -> ServerView:
    """Describe the server."""
    return ServerView(version=installed("edgewright"))


@router.get("/v2/models/{model}")
async def describe_model(request: Request, model: str) -> ModelView:
    """Describe a model with its tensors; it is loaded first, if it was not."""
    return await _described(request.app.state.node, model)


@router.get(VERSIONED)
async def describe_version(request: Request, model: str, version: str) -> ModelView:
    """Describe a version of a model; a node has one of each."""
    return await _described(request.app.state.node, model, version)


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


async def _described(node: Node, model: str, version: str | None = None) -> ModelView:
    await _loaded(node, model)
    return model_view(_worker(node, model, version))


def _ready(node: Node, model: str, version: str | None = None) -> ModelReady:
    if not _worker(node, model, version).loaded:
        raise UnavailableError(
            f"the model {model!r} is not loaded; its first call loads it", code="not_loaded"
        )
    return ModelReady(name=model)


async def _loaded(node: Node, model: str) -> ModelWorker:
    worker = node.workers.worker(model)
    if not worker.loaded:
        await node.workers.load(model)
    return worker


async def _infer(request: Request, model: str, version: str | None = None) -> Response:
    node: Node = request.app.state.node
    limits = node.config.limits
    node.workers.worker(model)
    body = await read_body(request.scope, request.receive, limits)
    wanted, binary = _split(body, header(request.scope, JSON_LENGTH_HEADER.lower().encode()))
    if unknown := {each.name for each in wanted.outputs} - {OUTPUT}:
        raise InputError(f"no output {min(unknown)!r}; it is {OUTPUT!r}", code="invalid_body")
    worker = await _loaded(node, model)
    _worker(node, model, version)
    parameters, blob = _operands(wanted.inputs[0], binary, worker)
    timeout_s = min(wanted.timeout_s or limits.deadline_s, limits.deadline_s)
    call = node.workers.call(
        model,
        "infer",
        parameters,
        blob,
        caller=request.scope["caller"],
        deadline=asyncio.get_running_loop().time() + timeout_s,
    )
    reply, data = await while_connected(asyncio.create_task(call), request.receive)
    output = np.frombuffer(data, np.float32).reshape(reply["shape"])
    head = {"model_name": model, "model_version": node.revision(model), "id": wanted.id or ""}
    content, length = response_body(head, OUTPUT, output, binary=wanted.is_binary(OUTPUT))
    if length is None:
        return Response(content, media_type="application/json")
    headers = {JSON_LENGTH_HEADER: str(length)}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _operands(
    given: RequestInput, binary: bytes, worker: ModelWorker
) -> tuple[dict[str, Any], bytes]:
    """Return the parameters and bytes of the worker's operation."""
    if "output_shape" not in worker.description:
        raise InputError(
            f"the model {worker.model!r} has no tensors of its own; use its cards under /v1/tools",
            code="no_tensors",
        )
    if (given.name, given.datatype) == (IMAGE, "BYTES"):
        images = read_images(given, binary)
        return {"sizes": [len(image) for image in images]}, b"".join(images)
    if (given.name, given.datatype) == (TENSOR, "FP32"):
        values = read_values(given, binary, (3, *worker.description["input_size"]))
        return {"samples": len(values)}, values.tobytes()
    raise InputError(
        f"no input {given.name[:100]!r} of type {given.datatype}; send {IMAGE!r} as BYTES or "
        f"{TENSOR!r} as FP32",
        code="invalid_body",
    )


def model_view(worker: ModelWorker) -> ModelView:
    """Return the view of a model; versions and shapes are known once it was loaded."""
    description = worker.description
    # Experts that look at whole images share a worker, whose networks have no common tensors.
    tensors = not description or "output_shape" in description
    side = description["input_size"] if description else [-1, -1]
    engine = description.get("engine")  # what is drawn needs none
    shape = description["output_shape"] if description and tensors else [-1]
    inputs = [
        {"name": IMAGE, "datatype": "BYTES", "shape": [-1]},
        {"name": TENSOR, "datatype": "FP32", "shape": [-1, 3, *side]},
    ]
    outputs = [{"name": OUTPUT, "datatype": "FP32", "shape": [-1, *shape]}]
    return ModelView(
        name=worker.model,
        versions=[description["revision"]] if description else [],
        platform=f"edgewright_{engine['name']}" if engine else "edgewright",
        inputs=inputs if tensors else [],
        outputs=outputs if tensors else [],
        ready=worker.loaded,
        partition_points=len(description["blocks"]) + 1 if description else 0,
    )


def _worker(node: Node, model: str, version: str | None) -> ModelWorker:
    """Return the worker of a model in a version.

    Raises:
        NotFoundError: No such model, or not in that version (``unknown_version``).
    """
    worker = node.workers.worker(model)
    if version is not None and version != node.revision(model):
        raise NotFoundError(
            f"the model {model!r} has no version {version[:100]!r}; its version is "
            f"{node.revision(model)!r}",
            code="unknown_version",
        )
    return worker


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
