"""The main loop of a worker process: one model, one call at a time.

An ``EdgewrightError`` is sent back to the node. Any other error ends the process: the node reports
the worker as lost and starts a new one, which is safer than continuing with a broken one.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from edgewright.edge_runtime.workers import wire
from edgewright.edge_runtime.workers.settings import Operations, WorkerSettings
from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.models.expert import CONTROLNET, DRAWING, PERCEPTION

#: Large enough to read most messages at once.
_BUFFER_BYTES = 65_536


def main(connection: socket.socket, settings: WorkerSettings) -> None:
    """Run a worker until the node closes the connection.

    Args:
        connection: The connection to the node.
        settings: The worker's settings.
    """

    def load() -> Operations:
        # Imported here, because the node imports this module and must not import an engine.
        if settings.model == PERCEPTION:
            from edgewright.edge_runtime.workers.perception import PerceptionOperations

            return PerceptionOperations(settings)
        if settings.model in (DRAWING, CONTROLNET):
            from edgewright.edge_runtime.workers.generation import GenerationOperations

            return GenerationOperations(settings)
        from edgewright.edge_runtime.workers.operations import ModelOperations

        return ModelOperations(settings)

    enter(connection, settings, load)


def enter(
    connection: socket.socket, settings: WorkerSettings, load: Callable[[], Operations]
) -> None:
    """Set the process up and serve.

    Args:
        connection: The connection to the node.
        settings: The worker's settings.
        load: Loads the model.
    """
    # Ctrl-C reaches the whole process group; the node decides when its workers stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_node, daemon=True).start()
    os.environ.update(settings.environment)
    serve(connection, load)


def serve(connection: socket.socket, load: Callable[[], Operations]) -> None:
    """Load the model, then answer calls until the connection closes.

    Args:
        connection: The connection to the node.
        load: Loads the model.
    """
    raw = connection.makefile("rb", buffering=0)
    with connection, io.BufferedReader(raw, _BUFFER_BYTES) as stream:
        try:
            operations = load()
            connection.sendall(wire.pack(operations.describe(), b""))
        except EdgewrightError as error:
            connection.sendall(_error(error))
            return
        while True:
            try:
                header, blob = wire.receive(stream)
            except (EOFError, ConnectionError):
                return
            connection.sendall(_answer(operations, header, blob))


def _answer(operations: Operations, header: dict[str, Any], blob: bytes) -> bytes:
    began_ns = time.time_ns()
    try:
        reply, answer = operations.run(header["operation"], header["parameters"], blob)
    except EdgewrightError as error:
        return _error(error)
    if header.get("timed"):  # the node records it in the request's trace
        timing = {"began_ns": began_ns, "ended_ns": time.time_ns(), "pid": os.getpid()}
        reply = {**reply, "timing": timing}
    try:
        return wire.pack(reply, answer)
    except ValueError:  # JSON has no NaN or infinity
        return _error(
            InputError(
                "the model's output contains values that are not finite; the input may be damaged",
                code="output_not_finite",
            )
        )


def _error(error: EdgewrightError) -> bytes:
    return wire.pack({"error": error.info().model_dump()}, b"")


def _end_with_node() -> None:
    """End the process with the node, even in the middle of a computation."""
    node = multiprocessing.parent_process()
    if node is not None:
        wait([node.sentinel])
        os._exit(1)
