"""Serving: how evenly OpenAI's API serves many streaming clients, and what slow readers cost them.

Run ``python -m edgewright.benchmarks.serving.streams``. Each client asks again as soon as its
stream has ended. Then the same beside readers that leave what they requested unread.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.serving.interface import question_about, running

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ("streams at once", "least tokens", "most tokens", "most/least", "p50 s", "p99 s")
#: Choices that a slow reader requests: many, so that its stream does not fit into the buffers.
_CHOICES = 16
_RECEIVE_BYTES = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it with the tokens of each client.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=50, help="clients that stream at once")
    parser.add_argument("--slow", type=int, default=8, help="readers that read nothing")
    parser.add_argument("--rounds", type=int, default=8, help="streams that each client reads")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    options = parser.parse_args(arguments)
    measured = asyncio.run(_measure(options.clients, options.slow, options.rounds))
    markdown = table(_COLUMNS, [each.row() for each in measured])
    sys.stdout.write(markdown)
    figures = {
        "clients": options.clients,
        "rounds": options.rounds,
        "set_ups": [asdict(each) for each in measured],
    }
    write_results(options.out, "streams", figures, markdown, lambda axes: _draw(axes, measured))
    return 0


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """What clients received beside some slow readers.

    Attributes:
        slow_readers: Number of readers that read nothing.
        tokens: Tokens that each client had received when the first had read its last stream.
        times_s: Time of each stream until then, in seconds.
    """

    slow_readers: int
    tokens: list[int]
    times_s: list[float]

    def row(self) -> list[object]:
        """Return the line of the table."""
        worst = sorted(self.times_s)[int(0.99 * (len(self.times_s) - 1))]
        least, most = min(self.tokens), max(self.tokens)
        return [
            f"{len(self.tokens)} clients, {self.slow_readers} slow readers",
            least,
            most,
            f"{most / max(1, least):.2f}",
            f"{statistics.median(self.times_s):.2f}",
            f"{worst:.2f}",
        ]


def _draw(axes: Axes, measured: Sequence[Streamed]) -> None:
    for each in measured:
        label = f"{each.slow_readers} slow readers"
        axes.plot(sorted(each.tokens), marker=".", linestyle="none", label=label)
    axes.set(xlabel="client", ylabel="tokens received", ylim=(0, None))
    axes.legend()


async def _measure(clients: int, slow: int, rounds: int) -> list[Streamed]:
    measured: list[Streamed] = []
    body = question_about(photograph((320, 240)))
    async with running() as (_, url):
        for readers in (0, slow):
            async with AsyncExitStack() as stack:
                for _ in range(readers):
                    await stack.enter_async_context(_slow_reader(url, body))
                tokens, times_s = await _stream_all(url, body, clients, rounds)
            measured.append(Streamed(slow_readers=readers, tokens=tokens, times_s=times_s))
    return measured


async def _stream_all(
    url: str, body: dict[str, Any], clients: int, rounds: int
) -> tuple[list[int], list[float]]:
    """Return the tokens that each client has received when the first has read its last stream.

    Counting ends there, since afterwards the others have more of the server.
    """
    tokens, times_s = [0] * clients, list[float]()

    async def client(number: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=600) as http:
            for _ in range(rounds):
                began = time.perf_counter()
                async for piece in _pieces(http, body):
                    tokens[number] += len(piece.split())
                times_s.append(time.perf_counter() - began)

    tasks = [asyncio.create_task(client(number)) for number in range(clients)]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    counted = list(tokens)
    for task in left:
        task.cancel()
    await asyncio.wait(tasks)
    for task in done:
        task.result()
    return counted, times_s


async def _pieces(http: httpx.AsyncClient, body: dict[str, Any]) -> AsyncIterator[str]:
    """Yield the words of a stream as they come."""
    asked = {**body, "stream": True}
    async with http.stream("POST", "/v1/chat/completions", json=asked) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            data = line.removeprefix("data: ")
            if line.startswith("data: ") and data != "[DONE]":
                for choice in json.loads(data)["choices"]:
                    yield choice["delta"].get("content") or ""


@asynccontextmanager
async def _slow_reader(url: str, body: dict[str, Any]) -> AsyncIterator[None]:
    """Request a long stream over a connection with small buffers, and read nothing of it."""
    address = urlsplit(url)
    data = json.dumps({**body, "stream": True, "n": _CHOICES}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    with connection:
        await loop.sock_connect(connection, (address.hostname, address.port))
        await loop.sock_sendall(connection, head.encode() + data)
        yield


if __name__ == "__main__":
    sys.exit(main())
