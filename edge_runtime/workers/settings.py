"""Settings of a worker process, and the interface of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from edgewright.tools.images.probe import MAX_PIXELS


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Settings of a worker process.

    Attributes:
        model: The model that it loads.
        threads: Number of threads that run each operation of a model.
        slowdown: Factor by which it slows itself down to simulate a weaker device.
        max_pixels: Maximum number of pixels of an image that it decodes.
        environment: Environment variables to set before the model is loaded.
    """

    model: str
    threads: int = 1
    slowdown: float = 1.0
    max_pixels: int = MAX_PIXELS
    environment: Mapping[str, str] = field(default_factory=dict)


class Operations(Protocol):
    """The operations of a worker on its model."""

    def describe(self) -> dict[str, Any]:
        """Return a description of the model for the node."""
        ...

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Execute one operation."""
        ...
