"""What a worker process is given, and what it can do with its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from edgewright.tools.images.probe import MAX_PIXELS


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
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
