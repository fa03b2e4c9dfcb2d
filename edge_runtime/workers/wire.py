"""Messages between a node and its workers: a JSON header and raw bytes, never pickle."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any, BinaryIO, cast

_SIZES = struct.Struct("<II")

#: A header and its bytes.
Message = tuple[dict[str, Any], bytes]


def pack(header: dict[str, Any], blob: bytes) -> bytes:
    """Return one message that holds a header and its bytes."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join((_SIZES.pack(len(text), len(blob)), text, blob))


class Channel(asyncio.Protocol):
    """The node's side of the connection to a worker, for one message at a time in each direction.

    A protocol of its own, because asyncio's streams wake up the event loop for each part of a
    message, and every request passes here.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._message: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._message.add_done_callback(_retrieved)

    @classmethod
    async def over(cls, connection: socket.socket) -> Channel:
        """Open the channel over a connected socket.

        Args:
            connection: The socket; it is closed with the channel.
        """
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(cls, sock=connection)
        return channel

    def send(self, message: bytes) -> None:
        """Send a message that ``pack`` has made.

        Raises:
            ConnectionError: The worker process ended. Some event loops only warn, others fail with
                an error of their own, when something is written to a closed connection.
        """
        if self._transport.is_closing():
            raise ConnectionResetError("the worker process ended")
        self._transport.write(message)

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            ConnectionError: The worker process ended.
        """
        message = await self._message
        self._message = asyncio.get_running_loop().create_future()
        self._message.add_done_callback(_retrieved)
        if self._transport.is_closing():
            self.connection_lost(None)
        return message

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect the parts of a message."""
        received = self._received
        received += data
        if len(received) < _SIZES.size:
            return
        header_size, blob_size = _SIZES.unpack_from(received)
        blob_at = _SIZES.size + header_size
        if len(received) >= blob_at + blob_size and not self._message.done():
            header: dict[str, Any] = json.loads(received[_SIZES.size : blob_at])
            self._message.set_result((header, bytes(received[blob_at : blob_at + blob_size])))
            del received[: blob_at + blob_size]

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits for a message know that there will be none."""
        if not self._message.done():
            self._message.set_exception(ConnectionResetError("the worker process ended"))


def receive(stream: BinaryIO) -> Message:
    """Read one message on the worker's side.

    Raises:
        EOFError: The node closed the connection.
    """
    header_size, blob_size = _SIZES.unpack(_exactly(stream, _SIZES.size))
    header: dict[str, Any] = json.loads(_exactly(stream, header_size))
    return header, _exactly(stream, blob_size)


def _retrieved(message: asyncio.Future[Message]) -> None:
    """Mark an error as seen: if nobody waits for a message, its absence is nobody's loss."""
    if not message.cancelled():
        message.exception()


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
