"""Serving: what OpenAI's API adds to the same session called in process.

Run ``python -m edgewright.benchmarks.serving.interface``. Session and server share one process and
one private node, and take turns, so that only the interface differs.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from edgewright.benchmarks.common.photographs import photograph
from edgewright.edge_runtime.keys import ANONYMOUS
from edgewright.edge_runtime.serve import Server, listen, url_of, uvicorn_config
from edgewright.servers.app import create_app
from edgewright.servers.config import ServeConfig
from edgewright.servers.front import Front
from edgewright.servers.serve import open_shared_session
from edgewright.tools.settings import Settings

QUESTION = "Which animal is this?"
_WAIT_S = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the medians.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=60, help="requests of each kind")
    options = parser.parse_args(arguments)
    own, through = asyncio.run(_measure(options.requests))
    sys.stdout.write(
        f"session {own:.1f} ms, through /v1 {through:.1f} ms, added {through - own:.1f} ms\n"
    )
    return 0


async def _measure(requests: int) -> tuple[float, float]:
    """Return the median times of the session and of the interface, in milliseconds."""
    image = photograph((320, 240))
    body = question_about(image)
    own: list[float] = []
    through: list[float] = []
    async with running() as (front, url), httpx.AsyncClient(base_url=url, timeout=60) as client:
        store = front.session.services.images
        for _ in range(requests):
            began = time.perf_counter()
            await front.ask(QUESTION, caller=ANONYMOUS, images=[store.put(image)])
            own.append(time.perf_counter() - began)
            began = time.perf_counter()
            (await client.post("/v1/chat/completions", json=body)).raise_for_status()
            through.append(time.perf_counter() - began)
    return statistics.median(own) * 1000, statistics.median(through) * 1000


def question_about(image: bytes) -> dict[str, Any]:
    """Return the body of a chat completion that asks about a JPEG."""
    data = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
    content = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": data}},
    ]
    return {"model": "edgewright", "messages": [{"role": "user", "content": content}]}


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Front, str]]:
    """Serve with a private node in this process; yield the front and its URL."""
    config = ServeConfig(port=0)
    with listen(config) as listener:
        async with open_shared_session(Settings.from_environment(embedded=True), None) as session:
            front = Front(config, session)
            server = Server(uvicorn_config(config, create_app(front)), front)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(_WAIT_S)
            try:
                yield front, url_of(config, listener)
            finally:
                server.should_exit = True
                await serving


if __name__ == "__main__":
    sys.exit(main())
