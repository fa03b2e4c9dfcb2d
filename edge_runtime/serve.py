"""Serving a node: its socket, its ready line, and its graceful shutdown."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import uvicorn

from edgewright.edge_runtime.app import create_app
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.connection import HttpConnection
from edgewright.edge_runtime.connections import Connections
from edgewright.edge_runtime.node import Node
from edgewright.edge_runtime.served import Listening, Served
from edgewright.tools.errors import EdgewrightError, InputError, UnavailableError
from edgewright.tools.nodes.discovery import announced

log = logging.getLogger(__name__)

#: Seconds until an idle connection is closed: longer than a device pauses between two images.
_KEEP_ALIVE_S = 75
_DRAIN_STEP_S = 0.05


def serve(config: NodeConfig, *, attached: bool = False) -> None:
    """Run a node until it is stopped by a signal.

    Args:
        config: The node's configuration.
        attached: Also stop when standard input closes, so that the node does not outlive the
            program that started it.

    Raises:
        EdgewrightError: The port is in use, a model of ``preload`` cannot be loaded, or gRPC is
            configured and not installed.
    """
    # Otherwise the fork server of the model workers imports modules from the working folder first.
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ.update(config.environment)
    with listen(config) as listener, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(config, listener, attached=attached))


async def _serve(config: NodeConfig, listener: socket.socket, *, attached: bool) -> None:
    app = create_app(config)
    node: Node = app.state.node
    async with _grpc(node, listener) as grpc_address:
        server = Server(uvicorn_config(config, app), node)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        if attached:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), on_stdin(server))
        try:
            await _announce(config, node, listener, serving, grpc_address)
        except EdgewrightError:
            server.should_exit = True
            raise
        finally:
            await serving


@asynccontextmanager
async def _grpc(node: Node, http: socket.socket) -> AsyncIterator[str | None]:
    """Serve gRPC beside HTTP, on the same address, if a port for it is configured."""
    port = node.config.grpc_port
    if port is None:
        yield None
        return
    # Its core writes what callers send wrong to standard error, where the node's log is.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from edgewright.edge_runtime.grpc_api.server import grpc_server
    except ModuleNotFoundError:
        raise UnavailableError(
            "'grpc_port' needs the extra 'grpc': pip install 'edgewright[grpc]', or remove it",
            code="grpc_missing",
        ) from None
    with _bound(http.getsockname()[0], port, "'grpc_port'") as listener:
        async with grpc_server(node, listener) as address:
            yield address


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what creates the event loop: uvloop's, if it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def uvicorn_config(config: Listening, app: Callable[..., Any]) -> uvicorn.Config:
    """Return uvicorn's configuration for a server.

    Args:
        config: How it listens.
        app: The application.
    """
    return uvicorn.Config(
        app,
        http="auto",  # httptools, if it is installed
        loop="none",  # ``serve`` has chosen it
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Otherwise any program here could claim to call for others, each with a share of its own.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(config.limits.drain_s)),
        ssl_certfile=config.tls.certificate if config.tls else None,
        ssl_keyfile=str(config.tls.private_key) if config.tls else None,
    )


async def _announce(
    config: NodeConfig,
    node: Node,
    listener: socket.socket,
    serving: asyncio.Task[None],
    grpc_address: str | None,
) -> None:
    """Print the ready line once the models are loaded."""
    warm = asyncio.create_task(node.warm.wait())
    await asyncio.wait({warm, serving}, return_when=asyncio.FIRST_COMPLETED)
    if node.failure is not None:
        raise node.failure
    if not warm.done():  # stopped before that
        warm.cancel()
        return
    more = {"grpc": grpc_address} if grpc_address else {}
    write_ready_line(url_of(config, listener), node=config.name, **more)
    if config.announce:
        await _stay_announced(config, listener, serving)


async def _stay_announced(
    config: NodeConfig, listener: socket.socket, serving: asyncio.Task[None]
) -> None:
    """Announce the node until it stops; without multicast it serves all the same."""
    certificate = config.tls.certificate if config.tls else None
    try:
        async with announced(
            config.name, config.role, listener.getsockname()[:2], certificate=certificate
        ):
            log.info("announced as %s", config.name)
            await asyncio.wait({serving})
    except EdgewrightError as error:
        log.warning("this node is not announced: %s", error.message)


def url_of(config: Listening, listener: socket.socket) -> str:
    """Return the URL of a server.

    Args:
        config: How it listens.
        listener: Its bound socket.
    """
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    return f"{'https' if config.tls else 'http'}://{address}:{port}"


def write_ready_line(url: str, **more: str) -> None:
    """Write the line that says that a server is ready, for the program that started it.

    Args:
        url: URL of the server.
        **more: What else the line says.
    """
    line = {"event": "ready", "url": url, "pid": os.getpid(), **more}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Server(uvicorn.Server):
    """Uvicorn's server, with limits on connections; it finishes running requests before it stops.

    Meanwhile it still listens, reports that it is not ready, and rejects new work.
    """

    def __init__(self, config: uvicorn.Config, node: Served) -> None:
        super().__init__(config)
        self.servers: list[asyncio.Server] = []  # connections are accepted here instead
        self._node = node
        self._draining: asyncio.Task[None] | None = None
        self._accepting: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept connections."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            self.should_exit = True
            return
        connections = Connections(self._node.config.limits, self._connection)
        self._accepting = [
            asyncio.create_task(connections.serve(listener, self.config.ssl))
            for listener in sockets or []
        ]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and wait for the open ones."""
        self._node.draining = True  # what comes over gRPC, too
        for task in self._accepting:
            task.cancel()
        await super().shutdown(sockets)

    def _connection(self, lost: Callable[[], None]) -> HttpConnection:
        return HttpConnection(
            limits=self._node.config.limits,
            lost=lost,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; stop at once on a second signal."""
        if self._node.draining:
            self.should_exit = self.force_exit = True
        else:
            asyncio.get_running_loop().call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Accept no more work, and stop when the running requests have finished."""
        if not self._node.draining:
            self._node.draining = True
            self._draining = asyncio.create_task(self._stop_when_idle())

    async def _stop_when_idle(self) -> None:
        node = self._node
        log.info("stopping; %d requests in flight", len(node.requests))
        steps = round(node.config.limits.drain_s / _DRAIN_STEP_S)
        for _ in range(steps):
            if not len(node.requests):
                break
            await asyncio.sleep(_DRAIN_STEP_S)
        self.should_exit = True


def on_stdin(server: Server) -> Callable[[], None]:
    """Return what drains a server once standard input is closed."""

    def closed() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            server.drain()

    return closed


def listen(config: Listening) -> socket.socket:
    """Bind the address that a server listens on.

    Args:
        config: How it listens.

    Raises:
        UnavailableError: The port is in use (``port_taken``), or may not be used.
        InputError: The host is not an address of this machine (``invalid_config``).
    """
    return _bound(config.host, config.port, "--port")


def _bound(host: str, port: int, option: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise InputError(
            f"{host!r} is not an address of this machine; correct 'host'",
            code="invalid_config",
        ) from None
    # If the protocol is named, asyncio disables Nagle's algorithm; otherwise responses take 40 ms.
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                f"port {port} on {host} is in use; choose another with {option}, or 0 for a free "
                "one",
                code="port_taken",
            ) from None
        raise UnavailableError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another address",
            code="cannot_listen",
        ) from None
    return listener
