"""The tail route: a frame in, an expert's output out, with as little overhead as possible."""

from __future__ import annotations

import asyncio
import json

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewright.edge_runtime.api.bodies import media_type, read_body, read_options
from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import InputError, MediaTypeError
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE

PATH = "/v1/split/{model}/tail"
#: The second is for tools that do not know the first.
MEDIA_TYPES = (FRAME_MEDIA_TYPE, "application/octet-stream")


class TailRoute:
    """Runs the tail of a model on a frame; plain ASGI.

    Args:
        node: The node that is served.
    """

    #: The label of the route in metrics.
    path = PATH

    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one frame."""
        scope["route"] = self
        node = self._node
        limits = node.config.limits
        declared = media_type(scope)
        if declared not in MEDIA_TYPES:
            raise MediaTypeError(
                f"the body is declared as {declared[:100] or 'nothing'!r}; send {FRAME_MEDIA_TYPE}"
            )
        options = read_options(scope)
        model: str = scope["path_params"]["model"]
        worker = node.workers.worker(model)
        if options.expert is None:
            raise InputError(
                "name the expert that reads the output: set 'expert' in the options",
                code="expert_missing",
            )
        began = asyncio.get_running_loop().time()
        frame = await read_body(scope, receive, limits)
        deadline = began + min(options.deadline_s, limits.deadline_s)
        reply, _ = await node.workers.call(
            worker.model,
            "tail",
            {"expert": options.expert, "args": options.args},
            frame,
            deadline=deadline,
        )
        result = {
            "output": reply["output"],
            "model": node.model_label(model),
            "expert": options.expert,
            "stages_ms": reply["stages_ms"],
            "load": load.model_dump() if (load := worker.meter.load()) else None,
        }
        body = json.dumps(result).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def tail_route(node: Node) -> Route:
    """Return the route for the application's routing table.

    Args:
        node: The node that is served.
    """
    return Route(PATH, TailRoute(node), methods=["POST"], name="tail")
