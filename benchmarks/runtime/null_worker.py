"""Model workers without a model: they check frames and compute nothing."""

from __future__ import annotations

import socket
from typing import Any

from edgewright.edge_runtime.keys import ANONYMOUS, Caller
from edgewright.edge_runtime.workers.process import enter
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.codecs.frame import read_frame


class NullOperations:
    """Operations that check a frame's envelope and return an empty result."""

    def describe(self) -> dict[str, Any]:
        """Return the description of an empty model."""
        return {"revision": "null", "blocks": [], "input_size": [0, 0]}

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Check the frame.

        Args:
            operation: Ignored.
            parameters: Ignored.
            blob: The frame.
        """
        frame = read_frame(blob)
        return {"output": {"text": "", "point": frame.point}, "stages_ms": {"tail": 0.0}}, b""


def enter_null_worker(connection: socket.socket, settings: WorkerSettings) -> None:
    """Run the process of a null worker.

    Args:
        connection: Connection to the node.
        settings: Settings of the worker.
    """
    enter(connection, settings, NullOperations)


class NullWorker(ModelWorker):
    """A null worker without a process: the frame is checked where the route runs."""

    async def load(self) -> None:
        """Do nothing: there is no model to load."""

    async def call(
        self,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes = b"",
        *,
        caller: Caller = ANONYMOUS,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        """Check the frame.

        Args:
            operation: Ignored.
            parameters: Ignored.
            blob: The frame.
            caller: Ignored.
            deadline: Ignored.
        """
        return NullOperations().run(operation, parameters, blob)
