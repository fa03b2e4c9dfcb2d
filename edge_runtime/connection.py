"""One connection of a node: how long it has kept the node waiting, and how much room it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgewright.edge_runtime.config import RequestLimits

#: Maximum length of a request's head; the largest that clients of nodes send has 3 KB.
MAX_HEAD_BYTES = 65_536

#: Maximum number of requests that wait behind a running one; no usual client sends any.
MAX_PIPELINED = 16


class HttpConnection(HttpToolsProtocol):
    """An HTTP connection that can be closed for taking time without work.

    Args:
        limits: The node's limits.
        lost: Called when the connection is closed.
        **options: Arguments of uvicorn's protocol.
    """

    def __init__(self, *, limits: RequestLimits, lost: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._lost = lost
        #: Since when the peer has owed the rest of a head, or of a body that nobody reads.
        self._owes_since: float | None = self.loop.time()
        self._in_head = True
        self._head_bytes = 0
        #: Until when the bytes that wait to be sent must have been taken, and how many they were.
        self._send_until: float | None = None
        self._send_bytes = 0

    @property
    def idle(self) -> bool:
        """Whether no request of it is being served."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def fresh(self) -> bool:
        """Whether it has never had a request."""
        return self.cycle is None

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and note when a head begins."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.idle and self._owes_since is None:
            self._owes_since = self.loop.time()
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Note that the head is complete; serve the request."""
        self._owes_since = None
        self._in_head, self._head_bytes = False, 0
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
            raise HttpParserError("too many pipelined requests")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the body is complete."""
        self._owes_since = None
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the rest of the body, if it was answered before its end."""
        if not self._in_head:
            self._owes_since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Allow as much time for the next bytes: the peer has taken most of the last ones."""
        self._send_until = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report that the connection is closed."""
        super().connection_lost(exc)
        self._lost()

    def check(self, now: float) -> bool:
        """Close the connection if its peer is late; return whether it was.

        Args:
            now: Time on the event loop's clock.
        """
        if self._owes_since is not None and now - self._owes_since > self._limits.head_s:
            self._owes_since = None
            self.transport.close()
            return True
        if self._stalled(now):
            self.transport.abort()
            return True
        return False

    def _stalled(self, now: float) -> bool:
        """Return whether the peer takes too long to take what is sent to it."""
        size = self.transport.get_write_buffer_size()
        if not size:
            self._send_until = None
            return False
        if self._send_until is None:
            self._send_until, self._send_bytes = now + self._limits.send_s, 0
        if size > self._send_bytes:
            self._send_until += (size - self._send_bytes) / self._limits.send_bytes_per_s
            self._send_bytes = size
        return now > self._send_until
