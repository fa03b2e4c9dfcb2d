"""The Open Inference Protocol whatever carries it: the server, a model with its tensors, inference.

HTTP and gRPC turn their requests into ``InferenceRequest`` and bytes, and call this.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from pydantic import BaseModel

from edgewright.edge_runtime.api.tensors import (
    InferenceRequest,
    RequestInput,
    Tensor,
    read_images,
    read_values,
)
from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.contracts.views import ModelView
from edgewright.tools.errors import InputError, NotFoundError

#: Inputs: encoded images, or the network's own input.
IMAGE, TENSOR = "image", "input"
OUTPUT = "output"


class ServerView(BaseModel):
    """What the server is and can do."""

    name: str = "edgewright"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


@dataclass(frozen=True)
class Inferred:
    """What a model returned.

    Attributes:
        model: Its name.
        version: Its version.
        output: float32 [samples, …].
    """

    model: str
    version: str
    output: Tensor


def server_view() -> ServerView:
    """Describe the server."""
    return ServerView(version=installed("edgewright"))


async def described(node: Node, model: str, version: str | None = None) -> ModelView:
    """Describe a model with its tensors; it is loaded first, if it was not.

    Args:
        node: The node.
        model: Name of the model.
        version: Its version; None means any.

    Raises:
        NotFoundError: No such model, or not in that version.
        UnavailableError: The model cannot be loaded.
    """
    await _loaded(node, model)
    return model_view(worker_of(node, model, version))


async def infer(
    node: Node,
    model: str,
    version: str | None,
    wanted: InferenceRequest,
    binary: bytes,
    *,
    caller: Caller,
    remaining_s: float | None = None,
) -> Inferred:
    """Run a model on images or on its own input, when its turn comes.

    Args:
        node: The node.
        model: Name of the model.
        version: Its version; None means any.
        wanted: The request.
        binary: The values of its input, if they are not in the request.
        caller: Whose call it is.
        remaining_s: Time that the transport leaves for the call, if it limits it.

    Raises:
        NotFoundError: No such model, or not in that version.
        InputError: The request does not match the model (``invalid_body``, ``no_tensors``).
        EdgewrightError: The call failed.
    """
    if unknown := {each.name for each in wanted.outputs} - {OUTPUT}:
        raise InputError(f"no output {min(unknown)!r}; it is {OUTPUT!r}", code="invalid_body")
    worker = await _loaded(node, model)
    worker_of(node, model, version)
    parameters, blob = _operands(wanted.inputs[0], binary, worker)
    limits_s = (wanted.timeout_s, remaining_s, node.config.limits.deadline_s)
    reply, data = await node.workers.call(
        model,
        "infer",
        parameters,
        blob,
        caller=caller,
        deadline=asyncio.get_running_loop().time() + min(s for s in limits_s if s is not None),
    )
    output = np.frombuffer(data, np.float32).reshape(reply["shape"])
    return Inferred(model, node.revision(model), output)


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


def worker_of(node: Node, model: str, version: str | None = None) -> ModelWorker:
    """Return the worker of a model in a version.

    Args:
        node: The node.
        model: Name of the model.
        version: Its version; None means any.

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


async def _loaded(node: Node, model: str) -> ModelWorker:
    worker = node.workers.worker(model)
    if not worker.loaded:
        await node.workers.load(model)
    return worker


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
