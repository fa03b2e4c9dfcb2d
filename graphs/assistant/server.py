"""The assistant for graph servers such as ``langgraph dev``, which bring their own checkpointer.

``langgraph.json`` names both: the graph, and the app whose lifespan closes what its runs opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from edgewright.graphs.assistant.graph import RECURSION_LIMIT, build_graph
from edgewright.graphs.services.pool import ServicePool

_pool = ServicePool()

graph = (
    build_graph(_pool.get).compile(name="assistant").with_config(recursion_limit=RECURSION_LIMIT)
)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
    await _pool.aclose()


app = Starlette(lifespan=_lifespan)
