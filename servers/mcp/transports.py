"""The two ways to reach the server: HTTP at ``/mcp``, and standard input and output."""

from __future__ import annotations

from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from edgewright.servers.front import Front
from edgewright.servers.mcp.server import McpServer

PATH = "/mcp"


def http_manager(server: McpServer, front: Front) -> StreamableHTTPSessionManager:
    """Return what serves the protocol over HTTP.

    Hosts and origins are checked before it, as for all interfaces.

    Args:
        server: The server.
        front: The front.
    """
    limits = front.config.limits
    return StreamableHTTPSessionManager(server, max_request_body_size=limits.body_bytes)


async def serve_stdio(front: Front) -> None:
    """Serve the program that started this one, until it closes standard input.

    Args:
        front: The front.
    """
    server = McpServer(front, local=True)
    async with server.watching(), stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
