"""The connections of a node, over HTTP or gRPC: accepted within limits in all and by address."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from edgewright.edge_runtime.config import RequestLimits

log = logging.getLogger(__name__)

#: File descriptors that are not for connections: model workers, their pipes, files, the peer.
_RESERVED_DESCRIPTORS = 256
_BACKLOG = 2048
#: Of each connection, in the kernel. Responses are small; more would only serve those who never
#: read them.
_SEND_BUFFER_BYTES = 131_072
_CHECK_S = 0.25
#: Late connections that are closed at a time. Those who opened many at once would all connect again
#: at once, and leave no time for others' requests.
_MAX_CLOSED = 50
#: Pause after a failure to accept, which may last until other descriptors are closed.
_PAUSE_S = 0.2


class Connection(Protocol):
    """The protocol of an accepted connection.

    Attributes:
        transport: Its transport; None until it is made.
    """

    transport: Any

    @property
    def fresh(self) -> bool:
        """Whether it has never had a request."""
        ...

    @property
    def idle(self) -> bool:
        """Whether no request of it is being served."""
        ...

    def check(self, now: float) -> bool:
        """Close the connection if its peer is late; return whether it was."""
        ...


#: Makes the protocol of a connection, given what to call when it is lost.
MakeProtocol = Callable[[Callable[[], None]], Any]


class _Place:
    """The place of a connection, from before its handshake until it is closed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.protocol: Connection | None = None
        self.opening: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        return self.protocol is None or self.protocol.fresh

    @property
    def idle(self) -> bool:
        return self.protocol is None or self.protocol.idle

    def close(self) -> None:
        if self.protocol is not None and self.protocol.transport is not None:
            self.protocol.transport.abort()
        elif self.opening is not None:
            self.opening.cancel()


class Connections:
    """Accepts connections.

    When there are too many, a new one from an address with fewer than its share takes the place of
    one that has no request, at best of one that never had any: so those who only hold connections
    open shut nobody out.

    Args:
        limits: The node's limits.
        make: Makes a connection's protocol, which is a ``Connection``.
        descriptors: File descriptors that each of them needs.
    """

    def __init__(self, limits: RequestLimits, make: MakeProtocol, *, descriptors: int = 1) -> None:
        self._limits = limits
        self._make = make
        self._maximum = _within_descriptors(limits.connections, descriptors)
        #: Places by address, oldest first.
        self._places: defaultdict[str, dict[_Place, None]] = defaultdict(dict)
        self._number = 0

    def __len__(self) -> int:
        return self._number

    async def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """Accept connections and check them, until cancelled.

        Args:
            listener: A bound socket.
            context: For TLS; None for plain HTTP.
        """
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        checking = asyncio.create_task(self._check())
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    accepted, address = await loop.sock_accept(listener)
                except OSError as error:  # out of descriptors, or the caller has left already
                    log.warning("cannot accept connections: %s", error.strerror)
                    await asyncio.sleep(_PAUSE_S)
                    continue
                self._admit(accepted, address[0], context)
                # Accepting succeeds at once while callers queue, and requests need their turn too.
                await asyncio.sleep(0)
        finally:
            checking.cancel()

    def _admit(self, accepted: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        if not self._room_for(address):
            log.warning("too many connections; one from %s was closed", address)
            accepted.close()
            return
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        place = _Place(address)
        self._places[address][place] = None
        self._number += 1
        place.opening = asyncio.create_task(self._open(place, accepted, context))

    def _room_for(self, address: str) -> bool:
        """Return whether there is room for a connection, making some if that is possible."""
        mine = self._places.get(address, {})
        if len(mine) >= self._limits.connections_per_address:
            return self._drop_idle(mine)
        if self._number < self._maximum:
            return True
        addresses = len(self._places) + (not mine)
        if len(mine) >= self._maximum // addresses:
            # Dropping others for it would only make them connect again.
            return False
        most = max(self._places.values(), key=len)
        return self._drop_idle(most) or any(map(self._drop_idle, list(self._places.values())))

    def _drop_idle(self, places: Iterable[_Place]) -> bool:
        chosen = next((place for place in places if place.fresh), None) or next(
            (place for place in places if place.idle), None
        )
        if chosen is not None:
            chosen.close()
            self._forget(chosen)
        return chosen is not None

    def _forget(self, place: _Place) -> None:
        mine = self._places.get(place.address, {})
        if place in mine:
            del mine[place]
            self._number -= 1
            if not mine:
                del self._places[place.address]

    async def _open(
        self, place: _Place, accepted: socket.socket, context: ssl.SSLContext | None
    ) -> None:
        def protocol() -> Any:
            place.protocol = self._make(lambda: self._forget(place))
            return place.protocol

        limit_s = {"ssl_handshake_timeout": self._limits.head_s} if context else {}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                protocol, accepted, ssl=context, **limit_s
            )
        except OSError:  # the caller left, or speaks no TLS
            self._forget(place)
        except asyncio.CancelledError:
            self._forget(place)
            with suppress(OSError, RuntimeError):  # it may be closed already
                accepted.close()

    async def _check(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_CHECK_S)
            now, closed = loop.time(), 0
            for place in [place for places in self._places.values() for place in places]:
                if place.protocol is not None and place.protocol.transport is not None:
                    closed += place.protocol.check(now)
                if closed == _MAX_CLOSED:
                    break


def _within_descriptors(wanted: int, each: int) -> int:
    """Return how many connections this process may have; its limit is raised where that is allowed.

    Args:
        wanted: Number of connections that the configuration allows.
        each: File descriptors of each.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted * each + _RESERVED_DESCRIPTORS
    if hard == resource.RLIM_INFINITY or hard > soft:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        soft = max(soft, allowed)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    return max(1, (soft - min(_RESERVED_DESCRIPTORS, soft // 2)) // each)
