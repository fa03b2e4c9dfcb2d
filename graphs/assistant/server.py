"""The graphs for graph servers such as ``langgraph dev``, which bring their own checkpointer.

``langgraph.json`` names both, and the app whose lifespan closes what their runs opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from edgewright.graphs.assistant.graph import LIMITS, build_graph
from edgewright.graphs.federated import graph as federated
from edgewright.graphs.federated.context import open_training
from edgewright.graphs.services.pool import ServicePool
from edgewright.graphs.services.services import open_services

_services = ServicePool(open_services)
_training = ServicePool(open_training)

assistant_graph = build_graph(_services.get).compile(name="assistant").with_config(LIMITS)
federated_graph = (
    federated.build_graph(_training.get)
    .compile(name="federated")
    .with_config(recursion_limit=federated.RECURSION_LIMIT)
)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
    await _services.aclose()
    await _training.aclose()


app = Starlette(lifespan=_lifespan)
