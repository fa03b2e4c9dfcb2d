"""Messages between a node and its workers: a JSON header and raw bytes, never pickle."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

_SIZES = struct.Struct("<II")


def pack(header: dict[str, Any], blob: bytes) -> bytes:
    """Return one message that holds a header and its bytes."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join((_SIZES.pack(len(text), len(blob)), text, blob))


async def read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """Read one message on the node's side.

    Raises:
        asyncio.IncompleteReadError: The worker process ended.
    """
    header_size, blob_size = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    header: dict[str, Any] = json.loads(await reader.readexactly(header_size))
    return header, await reader.readexactly(blob_size)


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message on the worker's side.

    Raises:
        EOFError: The node closed the connection.
    """
    header_size, blob_size = _SIZES.unpack(_exactly(stream, _SIZES.size))
    header: dict[str, Any] = json.loads(_exactly(stream, header_size))
    return header, _exactly(stream, blob_size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
