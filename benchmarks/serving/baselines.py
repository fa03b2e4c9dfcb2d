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
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.library import experts, load_adapter
from edgewright.tools.memory import keep_freed_memory

MODEL = "efficientnet-lite0"
EXPERT = "efficientnet-lite0-classifier"

#: From an encoded image to the expert's output.
Predictor = Callable[[bytes], dict[str, Any]]


def predictor() -> Predictor:
    """Return the model, run as a node's worker runs it, by the engine of the environment."""
    adapter = load_adapter(MODEL, threads=1)
    expert = experts(lambda model: adapter)[EXPERT]
    last = len(adapter.block_names)

    def predict(data: bytes) -> dict[str, Any]:
        features = adapter.array(adapter.preprocess(decode(data)))
        return expert.postprocess(adapter.run(features, 0, last), {})

    keep_freed_memory()
    predict(encode(Image.new("RGB", (320, 240)), "jpeg", 90))
    return predict


def serve_fastapi(predict: Predictor, listener: socket.socket) -> None:
    """Serve with FastAPI and uvicorn."""
    app = FastAPI()

    @app.post("/predict")
    async def answer(request: Request) -> dict[str, Any]:
        return await run_in_threadpool(predict, await request.body())

    config = uvicorn.Config(app, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def serve_litserve(predict: Predictor, listener: socket.socket) -> None:
    """Serve with LitServe, which listens on a port by itself."""
    import litserve

    class Api(litserve.LitAPI):  # type: ignore[misc]
        def setup(self, device: str) -> None:
            self.predictor = predict

        async def decode_request(self, request: Any) -> bytes:
            return bytes(await request.body())

        def predict(self, data: bytes) -> dict[str, Any]:
            return self.predictor(data)

    port = listener.getsockname()[1]
    listener.close()
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


def servers() -> list[str]:
    """Return the servers that this installation has."""
    return ["FastAPI", "LitServe"] if importlib.util.find_spec("litserve") else ["FastAPI"]


def main() -> None:
    """Serve one baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=["FastAPI", "LitServe"])
    options = parser.parse_args()
    predict = predictor()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    serve = serve_fastapi if options.server == "FastAPI" else serve_litserve
    serve(predict, listener)


if __name__ == "__main__":
    main()
