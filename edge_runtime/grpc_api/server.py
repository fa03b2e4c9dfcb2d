"""Serving gRPC: its port, its certificate, and the limits of its connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from edgewright.edge_runtime.config import RequestLimits, Tls
from edgewright.edge_runtime.connections import Connections
from edgewright.edge_runtime.grpc_api.relay import Relay
from edgewright.edge_runtime.grpc_api.service import InferenceService
from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import UnavailableError
from edgewright.tools.storage.reading import read_file
from edgewright.tools.storage.scratch import scratch_folder

#: Seconds until an idle connection is closed, as over HTTP.
_KEEP_ALIVE_S = 75
#: Seconds until a connection in use is closed once its calls have ended; clients connect again.
_MAX_AGE_S = 600
#: What a client may receive of a response before it reads it, as HTTP/2 begins.
_WINDOW_BYTES = 65_535
#: Maximum length of the metadata of a call.
_MAX_METADATA_BYTES = 16_384
#: Calls at once on a connection, at least, as HTTP/2 recommends.
_MIN_STREAMS = 100
_MAX_PEM_BYTES = 1_000_000
#: Time for answers on their way when the node stops; its own work has ended by then.
_STOP_S = 1.0


@asynccontextmanager
async def grpc_server(node: Node, listener: socket.socket) -> AsyncIterator[str]:
    """Serve a node over gRPC while the block runs.

    Args:
        node: The node.
        listener: The bound socket that callers connect to.

    Yields:
        Address and port that it listens on, as clients of gRPC expect them.

    Raises:
        UnavailableError: No local socket can be made (``cannot_listen``).
    """
    limits = node.config.limits
    with scratch_folder() as folder:
        relay = Relay(folder / "grpc", limits)
        server = grpc.aio.server(options=_options(limits))
        server.add_generic_rpc_handlers((InferenceService(node, relay.calls).handler(),))
        _bind(server, relay.server, node.config.tls)
        await server.start()
        # Of each connection, the relay and gRPC have one more; and over HTTP there are as many.
        connections = Connections(limits, relay.connection, descriptors=4)
        accepting = asyncio.create_task(connections.serve(listener, None))
        host, port = listener.getsockname()[:2]
        try:
            yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        finally:
            accepting.cancel()
            await server.stop(_STOP_S)


def _bind(server: Any, path: Path, tls: Tls | None) -> None:
    address = f"unix:{path}"
    try:
        if tls is None:
            server.add_insecure_port(address)
        else:
            pair = [read_file(each, _MAX_PEM_BYTES) for each in (tls.private_key, tls.certificate)]
            server.add_secure_port(address, grpc.ssl_server_credentials([tuple(pair)]))
    except RuntimeError:
        raise UnavailableError(
            f"cannot make a local socket for gRPC in {path.parent}; set TMPDIR to a folder with a "
            "short path on a usual file system",
            code="cannot_listen",
        ) from None


def _taken_within_s(limits: RequestLimits) -> float:
    """Return the time in which a client takes at least what it may receive before it reads."""
    return limits.send_s + _WINDOW_BYTES / limits.send_bytes_per_s


def _options(limits: RequestLimits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.body_bytes),
        # More than there are places: what has none is refused, and does not wait at the client.
        ("grpc.max_concurrent_streams", max(_MIN_STREAMS, 2 * limits.concurrency)),
        ("grpc.absolute_max_metadata_size", _MAX_METADATA_BYTES),
        ("grpc.server_handshake_timeout_ms", round(limits.head_s * 1000)),
        ("grpc.max_connection_idle_ms", _KEEP_ALIVE_S * 1000),
        # A client that takes nothing does not answer pings either; one that answers pings alone
        # loses its connection with age.
        ("grpc.keepalive_time_ms", round(limits.send_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(1000 * _taken_within_s(limits))),
        # The same for the pings by which gRPC measures a connection.
        ("grpc.http2.ping_timeout_ms", round(1000 * _taken_within_s(limits))),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_connection_age_ms", _MAX_AGE_S * 1000),
        ("grpc.max_connection_age_grace_ms", round(1000 * (limits.upload_s + limits.deadline_s))),
        # A compressed message is measured before it is unpacked, so none is accepted: 1 is the
        # bit of "not compressed".
        ("grpc.compression_enabled_algorithms_bitset", 1),
    ]
