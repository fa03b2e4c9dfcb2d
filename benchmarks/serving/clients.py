"""Clients that send one request after another, obedient and impatient ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from edgewright.tools.contracts.invocation import OPTIONS_HEADER

_OK, _TOO_MANY, _TOO_LATE = 200, 429, 504


@dataclass
class Client:
    """A client in a closed loop over one connection.

    Attributes:
        port: Port of the server.
        request: A complete HTTP request.
        obedient: Whether it waits as long as it is told when it is turned away, or asks again at
            once.
        patience_s: Time after which it gives up, disconnects and begins again; None waits for ever.
        times_ms: Time of each answer.
        refused: Number of times that it was turned away.
        left: Number of times that it gave up, or was told that its deadline cannot be met.
    """

    port: int
    request: bytes
    obedient: bool = True
    patience_s: float | None = None
    times_ms: list[float] = field(default_factory=list)
    refused: int = 0
    left: int = 0

    async def run(self, until: float) -> None:
        """Send requests until a time on the event loop's clock."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                async with _connection(self.port) as (reader, writer):
                    while loop.time() < until:
                        if not await self._request(reader, writer, until):
                            break

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: float
    ) -> bool:
        """Send one request; return whether the connection can be used again."""
        began = time.perf_counter()
        writer.write(self.request)
        try:
            async with asyncio.timeout(self.patience_s):
                async with asyncio.timeout_at(until + 5):
                    status, retry_after_s = await _answer(reader)
        except TimeoutError:
            self.left += 1
            return False
        if status == _OK:
            self.times_ms.append((time.perf_counter() - began) * 1000)
        elif status == _TOO_LATE:
            self.left += 1
        elif status == _TOO_MANY:
            self.refused += 1
            if self.obedient:
                await asyncio.sleep(retry_after_s)
        else:
            raise RuntimeError(f"the server answered {status}")
        return True


async def run_all(clients: Sequence[Client], seconds: float) -> float:
    """Run clients together; return their answers per second."""
    until = asyncio.get_running_loop().time() + seconds
    before = sum(len(client.times_ms) for client in clients)
    began = time.perf_counter()
    await asyncio.gather(*(client.run(until) for client in clients))
    answers = sum(len(client.times_ms) for client in clients) - before
    return answers / (time.perf_counter() - began)


def request(
    path: str, body: bytes, *, kind: str = "image/jpeg", deadline_s: float | None = None
) -> bytes:
    """Return a request with an image.

    Args:
        path: Path of the route.
        body: The image, or JSON that holds it.
        kind: Media type of the body.
        deadline_s: Deadline to declare to a node; None declares none.
    """
    options = "" if deadline_s is None else f'{OPTIONS_HEADER}: {{"deadline_s": {deadline_s}}}\r\n'
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        f"{options}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def _connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, float]:
    """Read a response; return its status, and the seconds of its ``Retry-After``."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    await reader.readexactly(int(fields[b"content-length"]))
    return int(head.split(b" ", 2)[1]), float(fields.get(b"retry-after", b"1"))
