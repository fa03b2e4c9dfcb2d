"""Raw routes: plain ASGI for calls whose latency matters, instead of FastAPI's own layers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import LinkError

_Result = TypeVar("_Result")


class Answering(Protocol):
    """What a raw route does."""

    async def __call__(self, node: Node, scope: Scope, receive: Receive) -> bytes:
        """Return the JSON of the response."""
        ...


class RawRoute:
    """Serves one route.

    Args:
        node: The node that is served.
        path: Path of the route, which labels it in metrics.
        answer: Returns the JSON of a response.
    """

    def __init__(self, node: Node, path: str, answer: Answering) -> None:
        self.path = path
        self._node = node
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["route"] = self
        body = await self._answer(self._node, scope, receive)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def raw_route(node: Node, path: str, answer: Answering, *, name: str) -> Route:
    """Return a raw route for the application's routing table.

    Args:
        node: The node that is served.
        path: Path of the route.
        answer: Returns the JSON of a response.
        name: Name of the route.
    """
    return Route(path, RawRoute(node, path, answer), methods=["POST"], name=name)


async def while_connected(work: Awaitable[_Result], receive: Receive) -> _Result:
    """Return the result of some work, unless the caller disconnects first.

    Then the work is cancelled, so that a caller that lost patience does not keep its place in a
    queue. It is done in the task that awaits it, as with ``asyncio.timeout``, which costs a busy
    node least.

    Args:
        work: The work.
        receive: The request's receive function, once its body was read.

    Raises:
        LinkError: The caller disconnected.
    """
    task = asyncio.current_task()
    assert task is not None
    leaving = asyncio.create_task(_disconnected(receive))
    stop = _Stop(task)
    leaving.add_done_callback(stop)
    try:
        return await work
    except asyncio.CancelledError:
        if stop.called and task.uncancel() == 0:
            raise LinkError("the caller disconnected before the response") from None
        raise
    finally:
        stop.over = True
        leaving.cancel()


class _Stop:
    """Cancels a task when called before it is over, and remembers that it did."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task
        self.called = self.over = False

    def __call__(self, _: object) -> None:
        if not self.over:
            self.called = True
            self._task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
