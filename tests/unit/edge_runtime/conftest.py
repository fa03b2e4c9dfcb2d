"""Nodes in the test's own process: real models and routes, but no sockets and no processes."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import skimage.data
from fastapi import FastAPI
from PIL import Image

from edgewright.edge_runtime.app import create_app
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.keys import ANONYMOUS, Caller
from edgewright.edge_runtime.workers.operations import ModelOperations
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.nodes.client import NodeClient

MODEL = "efficientnet-lite0"


class DirectWorker(ModelWorker):
    """A worker whose model runs in the test's own process.

    Attributes:
        failures: The exception that the next call raises, by operation.
    """

    def __init__(self, operations: ModelOperations) -> None:
        super().__init__(WorkerSettings(model=MODEL))
        self.operations = operations
        self.description = operations.describe()
        self.failures: dict[str, Exception] = {}

    @property
    def loaded(self) -> bool:
        """It is, from the begin on."""
        return True

    async def load(self) -> None:
        """Do nothing: the model is loaded already."""

    async def call(
        self,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes = b"",
        *,
        caller: Caller = ANONYMOUS,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        """Run the operation at once."""
        if operation in self.failures:
            raise self.failures.pop(operation)
        return self.operations.run(operation, parameters, blob)


@pytest.fixture(scope="session")
def operations() -> ModelOperations:
    """The real model with its experts."""
    return ModelOperations(WorkerSettings(model=MODEL))


@pytest.fixture(scope="session")
def cat() -> bytes:
    """A real photograph as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(buffer, "JPEG")
    return buffer.getvalue()


App = Callable[..., FastAPI]


@pytest.fixture
def make_app(operations: ModelOperations) -> App:
    """Return a function that creates a node's application with that model."""

    def make(*, peer_clients: dict[str, NodeClient] | None = None, **settings: Any) -> FastAPI:
        config = NodeConfig.model_validate({"preload": [], **settings})
        workers = WorkerPool([MODEL], lambda model: DirectWorker(operations))
        return create_app(config, workers=workers, peer_clients=peer_clients)

    return make


Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return a function that connects a plain HTTP client to an application."""
    async with AsyncExitStack() as stack:

        def client(app: FastAPI, **more: Any) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=app)
            made = httpx.AsyncClient(transport=transport, base_url="http://localhost", **more)
            stack.push_async_callback(made.aclose)
            return made

        yield client
