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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, Protocol

from edgewright.edge_runtime.lanes import wire
from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.images.probe import MAX_PIXELS

#: Most messages are taken in one go.
_BUFFER_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """What a lane's process is told.

    Attributes:
        model: Model that it loads.
        threads: Torch threads.
        slowdown: Factor by which it slows itself on purpose.
        max_pixels: Largest picture that it decodes.
        environment: Variables to set before the model loads.
    """

    model: str
    threads: int = 1
    slowdown: float = 1.0
    max_pixels: int = MAX_PIXELS
    environment: Mapping[str, str] = field(default_factory=dict)


class Operations(Protocol):
    """What a lane can do with its model."""

    def describe(self) -> dict[str, Any]:
        """Return what the node should know of the model."""
        ...

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Carry out one operation."""
        ...


def main(connection: socket.socket, settings: LaneSettings) -> None:
    """Run a lane until the node closes the connection.

    Args:
        connection: To the node.
        settings: Which model, and how.
    """

    def load() -> Operations:
        # Torch is imported here and not in the node, which imports this module too.
        from edgewright.edge_runtime.lanes.operations import ModelOperations

        return ModelOperations(settings)

    enter(connection, settings, load)


def enter(
    connection: socket.socket, settings: LaneSettings, load: Callable[[], Operations]
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
