"""The overhead of a node: its tail route without a model, against an echo.

All routes belong to one uvicorn server and get the same frame in turns, over one open connection.
The echo reads the frame and returns as many bytes as the node does. The node checks the frame and
computes nothing, once in its own process and once in a worker process, which shows the cost of
isolating the node from a stuck or crashed model.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import Receive, Scope, Send

from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import quantiles
from edgewright.benchmarks.runtime.null_worker import NullWorker, enter_null_worker
from edgewright.edge_runtime.app import create_app
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.serve import listen, loop_factory, uvicorn_config
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.codecs.frame import HEADER_BYTES, pack
from edgewright.tools.contracts.invocation import OPTIONS_HEADER
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME_BYTES = 20_000
#: Maximum ratio of the node's median to the echo's.
LIMIT = 2.0
_MODEL = "null"
_MODEL_IN_PROCESS = "null-process"
_TAIL = "/v1/split/{}/tail"
_ECHO = "/echo"
_NAMES = ("raw ASGI echo", "tail route", "tail route and a worker process")
_WARM_UP = 300


class NullCodec:
    """The minimum of a codec whose frames pass every check of the envelope."""

    name = "null"
    model = _MODEL
    point = resume_point = 4
    shape: tuple[int, ...] = (24, 28, 28)
    fingerprint = bytes(8)

    def encode(self, features: Any) -> bytes:
        """Return a payload that fills a frame of ``FRAME_BYTES``."""
        return bytes(FRAME_BYTES - HEADER_BYTES)

    def decode(self, payload: bytes) -> Any:
        """Return None; no features are decoded."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a request and respond, the minimum work of any ASGI application.

    Args:
        scope: ASGI scope; the query string is the number of bytes to send back.
        receive: ASGI channel of the request.
        send: ASGI channel of the response.
    """
    chunks: list[bytes] = []
    more_body = True
    while more_body:
        message = await receive()
        chunks.append(message.get("body", b""))
        more_body = message.get("more_body", False)
    body = b"".join(chunks)[: int(scope["query_string"])]
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def serve() -> None:
    """Serve the node and the echo, and print the port."""
    config = NodeConfig(name="bench", role="edge", port=0, preload=())
    workers = WorkerPool([_MODEL, _MODEL_IN_PROCESS], _worker)
    node = create_app(config, workers=workers)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        app = echo if scope.get("path") == _ECHO else node
        await app(scope, receive, send)

    with listen(config) as listener:
        server = uvicorn.Server(uvicorn_config(config, dispatch))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await workers.load(_MODEL_IN_PROCESS)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await serving


def _worker(model: str) -> ModelWorker:
    settings = WorkerSettings(model=model)
    return (
        NullWorker(settings) if model == _MODEL else ModelWorker(settings, entry=enter_null_worker)
    )


def measure(port: int, count: int) -> dict[str, list[float]]:
    """Time the routes in turns.

    Args:
        port: Port of the server.
        count: Requests to each route.

    Returns:
        Milliseconds of every exchange, by the route's name.
    """
    codec = NullCodec()
    frame = pack(codec.encode(None), codec)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tail = _request(_TAIL.format(_MODEL), frame)
        size = len(_exchange(connection, tail))
        paths = (f"{_ECHO}?{size}", *(_TAIL.format(model) for model in (_MODEL, _MODEL_IN_PROCESS)))
        requests = {name: _request(path, frame) for name, path in zip(_NAMES, paths, strict=True)}
        times: dict[str, list[float]] = {name: [] for name in requests}
        for index in range(_WARM_UP + count):
            for name, request in requests.items():
                started_at = time.perf_counter()
                _exchange(connection, request)
                if index >= _WARM_UP:
                    times[name].append((time.perf_counter() - started_at) * 1000)
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when the node's median is more than ``LIMIT`` times the echo's.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--count", type=int, default=3000, help="requests to each route")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve())
        return 0
    command = [sys.executable, "-m", "edgewright.benchmarks.runtime.run", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            times = measure(int(server.stdout.readline()), options.count)
        finally:
            server.terminate()
    figures = {name: _summary(values) for name, values in times.items()}
    echo_ms, tail_ms = (figures[name]["p50_ms"] for name in _NAMES[:2])
    ratio = tail_ms / echo_ms
    rows = [
        [
            name,
            f"{figure['p50_ms']:.3f}",
            f"{figure['p95_ms']:.3f}",
            f"{figure['p50_ms'] / echo_ms:.2f}",
        ]
        for name, figure in figures.items()
    ]
    markdown = table(
        [f"{FRAME_BYTES // 1000} KB frame", "p50 ms", "p95 ms", "times the echo"], rows
    )
    sys.stdout.write(markdown)
    result = {"frame_bytes": FRAME_BYTES, "count": options.count, "ratio_p50": ratio, **figures}
    write_results(options.out, "runtime", result, markdown, lambda axes: _draw(axes, times))
    return int(ratio > LIMIT)


def _request(path: str, frame: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FRAME_MEDIA_TYPE}\r\n"
        f'{OPTIONS_HEADER}: {{"expert":"null"}}\r\nContent-Length: {len(frame)}\r\n\r\n'
    )
    return head.encode() + frame


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and return the body of the response."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if b" 200 " not in lines[0]:
        raise RuntimeError(f"the server answered {lines[0].decode()}")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    while len(body) < length:
        body += _received(connection)
    return body


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data


def _summary(times: Sequence[float]) -> dict[str, float]:
    return {**quantiles(times), "mean_ms": statistics.fmean(times)}


def _draw(axes: Axes, times: dict[str, list[float]]) -> None:
    for name, values in times.items():
        ordered = sorted(values)
        shares = [(index + 1) / len(ordered) for index in range(len(ordered))]
        axes.plot(ordered, shares, label=name)
    axes.set_xlim(0, 3 * max(statistics.median(values) for values in times.values()))
    axes.set_xlabel("latency, ms")
    axes.set_ylabel("share of requests")
    axes.set_title(f"{FRAME_BYTES // 1000} KB frame over loopback, no model")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
