"""Lanes with no model behind them: frames are checked, nothing is computed."""

from __future__ import annotations

import socket
from typing import Any

from edgewright.edge_runtime.workers.process import enter
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.codecs.frame import read_header


class NullOperations:
    """Checks a frame's envelope and answers with nothing."""

    def describe(self) -> dict[str, Any]:
        """Describe the model that is not there."""
        return {"revision": "null", "blocks": [], "input_size": [0, 0]}

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Check the frame.

        Args:
            operation: Any.
            parameters: Any.
            blob: The frame.
        """
        header = read_header(blob)
        return {"output": {"text": "", "point": header.point}, "stages_ms": {"tail": 0.0}}, b""


def enter_null_worker(connection: socket.socket, settings: WorkerSettings) -> None:
    """Run the process of a null lane.

    Args:
        connection: To the node.
        settings: As for any lane.
    """
    enter(connection, settings, NullOperations)


class NullWorker(ModelWorker):
    """A lane without even a process: the frame is checked where the route runs."""

    async def load(self) -> None:
        """Load nothing."""

    async def call(
        self, operation: str, parameters: dict[str, Any], blob: bytes = b"", *, deadline: float
    ) -> tuple[dict[str, Any], bytes]:
        """Check the frame.

        Args:
            operation: Any.
            parameters: Any.
            blob: The frame.
            deadline: Any.
        """
        return NullOperations().run(operation, parameters, blob)
