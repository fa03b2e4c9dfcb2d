"""Relaying connections to gRPC's own server, which cannot limit them by address or drop idle ones.

Its server listens on a local socket alone. Whoever connects to the node's port is admitted as over
HTTP, and relayed; what is relayed is not looked at, so TLS and HTTP/2 remain gRPC's.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edgewright.edge_runtime.config import RequestLimits

log = logging.getLogger(__name__)


class Relay:
    """Makes relayed connections, and knows which of them have a call.

    Args:
        server: The local socket that gRPC's server listens on; the folder must be private.
        limits: The node's limits.

    Attributes:
        calls: Number of calls in progress, by the number of the connection, with which gRPC's name
            of the caller ends.
    """

    def __init__(self, server: Path, limits: RequestLimits) -> None:
        self.server = server
        self.limits = limits
        self.calls: Counter[str] = Counter()
        self._numbers = itertools.count()

    def connection(self, lost: Callable[[], None]) -> RelayedConnection:
        """Make the protocol of a new connection.

        Args:
            lost: Called when the connection is closed.
        """
        return RelayedConnection(self, next(self._numbers), lost)


class _Side(asyncio.Protocol):
    """One side of a relayed connection: what arrives here is sent on the other side."""

    transport: Any = None
    other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._onward:
            self._onward.write(data)

    def pause_writing(self) -> None:
        if self._onward:
            self._onward.pause_reading()

    def resume_writing(self) -> None:
        if self._onward:
            self._onward.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()

    @property
    def _onward(self) -> Any:
        """The other side's transport; None once it is closed, which uvloop's does not forgive."""
        transport = self.other.transport if self.other else None
        return None if transport is None or transport.is_closing() else transport


class RelayedConnection(_Side):
    """The caller's side of a relayed connection."""

    def __init__(self, relay: Relay, number: int, lost: Callable[[], None]) -> None:
        self._relay, self._number, self._lost = relay, str(number), lost
        self._began = asyncio.get_running_loop().time()
        self._early = b""
        self._opening: asyncio.Task[None] | None = None
        self._closing_since: float | None = None
        self._called = False

    @property
    def idle(self) -> bool:
        """Whether no call of it is being served."""
        busy = self._number in self._relay.calls
        self._called |= busy
        return not busy

    @property
    def fresh(self) -> bool:
        """Whether it has never been seen to have a call."""
        return self.idle and not self._called

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to gRPC's server."""
        super().connection_made(transport)
        self._opening = asyncio.create_task(self._open())

    def data_received(self, data: bytes) -> None:
        """Send on what arrived, or keep it until the other side is connected."""
        if self.other is not None:
            super().data_received(data)
        else:
            self._early += data
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side, and report that the connection is closed."""
        if self._opening is not None:
            self._opening.cancel()
        super().connection_lost(exc)
        self._lost()

    def check(self, now: float) -> bool:
        """Close the connection if its caller is late; return whether it was.

        Args:
            now: Time on the event loop's clock.
        """
        limits = self._relay.limits
        if self.transport.is_closing():
            # What remains to be sent has its time, too.
            self._closing_since = self._closing_since or now
            late = now - self._closing_since > limits.send_s
        else:
            late = self.fresh and now - self._began > limits.head_s
        if late:
            self.transport.abort()
        return late

    async def _open(self) -> None:
        """Connect from a socket with a name of its own, by which gRPC names the caller."""
        inner = _Side()
        inner.other = self  # gRPC's server speaks first
        address = self.transport.get_extra_info("peername")[0]
        name = self._relay.server.parent / f"{address}:{self._number}"
        loop = asyncio.get_running_loop()
        with ExitStack() as stack:
            stack.callback(self.transport.abort)
            try:
                local = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                local.setblocking(False)
                local.bind(str(name))
                name.unlink()
                await loop.sock_connect(local, str(self._relay.server))
                await loop.create_unix_connection(lambda: inner, sock=local)
            except OSError as error:
                log.warning("cannot relay a connection: %s", error.strerror)
                return
            stack.pop_all()
        self.other = inner
        inner.transport.write(self._early)
        self._early = b""
        self.transport.resume_reading()
