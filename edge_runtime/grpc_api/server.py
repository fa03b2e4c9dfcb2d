"""Serving gRPC: its port, its certificate, and the limits of its connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from edgewright.edge_runtime.config import NodeConfig, RequestLimits, Tls
from edgewright.edge_runtime.grpc_api.service import InferenceService
from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import UnavailableError
from edgewright.tools.storage.reading import read_file

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
async def grpc_server(node: Node, host: str, port: int) -> AsyncIterator[str]:
    """Serve a node over gRPC while the block runs.

    Args:
        node: The node.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Yields:
        Address and port that it listens on, as clients of gRPC expect them.

    Raises:
        UnavailableError: The port is in use, or may not be used (``port_taken``).
    """
    server = grpc.aio.server(options=_options(node.config))
    server.add_generic_rpc_handlers((InferenceService(node).handler(),))
    address = f"[{host}]" if ":" in host else host
    try:
        bound = _bind(server, f"{address}:{port}", node.config.tls)
    except RuntimeError:
        raise UnavailableError(
            f"cannot listen on {host} port {port} for gRPC: it is in use or not allowed; choose "
            "another 'grpc_port', or 0 for a free one",
            code="port_taken",
        ) from None
    await server.start()
    try:
        yield f"{address}:{bound}"
    finally:
        await server.stop(_STOP_S)


def _bind(server: Any, address: str, tls: Tls | None) -> int:
    if tls is None:
        return int(server.add_insecure_port(address))
    pair = [read_file(path, _MAX_PEM_BYTES) for path in (tls.private_key, tls.certificate)]
    return int(server.add_secure_port(address, grpc.ssl_server_credentials([tuple(pair)])))


def _taken_within_s(limits: RequestLimits) -> float:
    """Return the time in which a client takes at least what it may receive before it reads."""
    return limits.send_s + _WINDOW_BYTES / limits.send_bytes_per_s


def _options(config: NodeConfig) -> list[tuple[str, int]]:
    limits = config.limits
    return [
        ("grpc.max_receive_message_length", limits.body_bytes),
        # More than there are places: what has none is refused, and does not wait at the client.
        ("grpc.max_concurrent_streams", max(_MIN_STREAMS, 2 * limits.concurrency)),
        ("grpc.max_allowed_incoming_connections", limits.connections),
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
        # Otherwise a second node could listen on the same port, and take some of its calls.
        ("grpc.so_reuseport", 0),
    ]
