"""The tail route: a frame in, an expert's output out."""

from __future__ import annotations

import asyncio
import json

from starlette.types import Receive, Scope

from edgewright.edge_runtime.api.bodies import media_type, read_body, read_options
from edgewright.edge_runtime.api.routes.raw import while_connected
from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import InputError, MediaTypeError
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE

PATH = "/v1/split/{model}/tail"
#: The second is for tools that do not know the first.
MEDIA_TYPES = (FRAME_MEDIA_TYPE, "application/octet-stream")


async def tail(node: Node, scope: Scope, receive: Receive) -> bytes:
    """Run the tail of a model on a frame.

    Args:
        node: The node.
        scope: The request's scope.
        receive: The request's receive function.
    """
    declared = media_type(scope)
    if declared not in MEDIA_TYPES:
        raise MediaTypeError(
            f"the body is declared as {declared[:100] or 'nothing'!r}; send {FRAME_MEDIA_TYPE}"
        )
    options = read_options(scope)
    worker = node.workers.worker(scope["path_params"]["model"])
    if options.expert is None:
        raise InputError(
            "name the expert that reads the output: set 'expert' in the options",
            code="expert_missing",
        )
    limits = node.config.limits
    deadline = asyncio.get_running_loop().time() + min(options.deadline_s, limits.deadline_s)
    frame = await read_body(scope, receive, limits)

    async def run() -> bytes:
        reply, _ = await node.workers.call(
            worker.model,
            "tail",
            {
                "expert": options.expert,
                "args": options.args,
                "precision": options.arm.precision if options.arm else "fp32",
            },
            frame,
            caller=scope["caller"],
            deadline=deadline,
        )
        result = {
            "output": reply["output"],
            "model": node.model_label(worker.model),
            "expert": options.expert,
            "stages_ms": reply["stages_ms"],
            "load": load.model_dump() if (load := worker.meter.load()) else None,
        }
        return json.dumps(result).encode()

    return await while_connected(run(), receive)
