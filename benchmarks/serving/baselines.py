"""Servers to compare a node with: the same model behind plain FastAPI, and behind LitServe.

Run ``python -m edgewright.benchmarks.serving.baselines SERVER``: it prints its port as one line of
JSON and serves ``POST /predict`` until it is terminated. ``EDGEWRIGHT_ENGINE`` chooses the engine.
Each baseline is what its documentation shows first: FastAPI with a thread for each call, LitServe
with one worker.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from edgewright.benchmarks.serving.predictor import predictor


def serve_fastapi(listener: socket.socket) -> None:
    """Serve with FastAPI and uvicorn."""
    app, predict = FastAPI(), predictor()

    @app.post("/predict")
    async def answer(request: Request) -> dict[str, Any]:
        return await run_in_threadpool(predict, await request.body())

    config = uvicorn.Config(app, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def serve_litserve(listener: socket.socket) -> None:
    """Serve with LitServe, which listens on a port by itself and loads the model in a process."""
    import litserve.server

    from edgewright.benchmarks.serving.litserve_api import ImageApi

    # It would serve MCP too, for which it needs an older mcp than this package.
    litserve.server._MCP_AVAILABLE = False
    port = listener.getsockname()[1]
    listener.close()
    server = litserve.LitServer(ImageApi(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


def servers() -> list[str]:
    """Return the servers that this installation has."""
    return ["FastAPI", "LitServe"] if importlib.util.find_spec("litserve") else ["FastAPI"]


def main() -> None:
    """Serve one baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=["FastAPI", "LitServe"])
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    serve = serve_fastapi if options.server == "FastAPI" else serve_litserve
    serve(listener)


if __name__ == "__main__":
    main()
