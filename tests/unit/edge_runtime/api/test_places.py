"""When a request gives its place back."""

import pytest

from edgewright.edge_runtime.api.middleware import NodeMiddleware
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.workers.pool import WorkerPool

SCOPE = {"type": "http", "path": "/v1/x", "method": "GET", "headers": [], "client": ("::1", 1)}


@pytest.mark.parametrize(
    ("headers", "held"),
    [
        # The whole response was there before its first byte was sent.
        ([(b"content-length", b"2")], [0, 0, 0]),
        # A stream is computed while it is sent.
        ([(b"content-type", b"text/event-stream")], [1, 1, 0]),
    ],
    ids=["whole", "stream"],
)
async def test_a_place_is_free_when_the_work_ends_and_not_when_the_last_byte_leaves(headers, held):
    node = Node(NodeConfig(), WorkerPool([], lambda model: None))
    seen = []

    async def app(scope, receive, send):
        assert len(node.requests) == 1
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    async def send(message):
        seen.append(len(node.requests))

    await NodeMiddleware(app, node)(dict(SCOPE), None, send)
    assert seen == held
    assert len(node.requests) == 0
