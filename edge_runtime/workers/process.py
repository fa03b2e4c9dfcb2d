"""What runs inside a lane's process: one model, asked one thing at a time.

An error that the package raises on purpose is sent back. Any other ends the process: the node
reports it as lost and starts a new one, which is safer than going on with a broken one.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from edgewright.edge_runtime.workers import wire
from edgewright.edge_runtime.workers.settings import Operations, WorkerSettings
from edgewright.tools.errors import EdgewrightError, InputError

#: Most messages are taken in one go.
_BUFFER_BYTES = 65_536


def main(connection: socket.socket, settings: WorkerSettings) -> None:
    """Run a lane until the node closes the connection.

    Args:
        connection: To the node.
        settings: Which model, and how.
    """

    def load() -> Operations:
        # Torch is imported here and not in the node, which imports this module too.
        from edgewright.edge_runtime.workers.operations import ModelOperations

        return ModelOperations(settings)

    enter(connection, settings, load)


def enter(
    connection: socket.socket, settings: WorkerSettings, load: Callable[[], Operations]
) -> None:
    """Set the process up and serve.

    Args:
        connection: To the node.
        settings: Which model, and how.
        load: Loads the model.
    """
    # Ctrl-C reaches the whole group; the node decides when its lanes end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_node, daemon=True).start()
    os.environ.update(settings.environment)
    serve(connection, load)


def serve(connection: socket.socket, load: Callable[[], Operations]) -> None:
    """Load the model, then answer until the connection closes.

    Args:
        connection: To the node.
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
    try:
        reply = operations.run(header["operation"], header["parameters"], blob)
    except EdgewrightError as error:
        return _error(error)
    try:
        return wire.pack(*reply)
    except ValueError:  # NaN and infinity are no JSON
        return _error(
            InputError(
                "the model's output holds values that are not finite; the input is damaged",
                code="output_not_finite",
            )
        )


def _error(error: EdgewrightError) -> bytes:
    return wire.pack({"error": error.info().model_dump()}, b"")


def _end_with_node() -> None:
    """End the process when the node does, even in the middle of a computation."""
    node = multiprocessing.parent_process()
    if node is not None:
        wait([node.sentinel])
        os._exit(1)
