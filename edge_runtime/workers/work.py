"""What a model worker has done: totals for metrics, and spans of traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgewright.tools.tracing import record


@dataclass
class Work:
    """What a worker has done since its node started.

    Attributes:
        calls: Number of calls whose turn came.
        waited_s: Time that they waited for it, in seconds.
        busy_s: Time that they took then.
    """

    calls: int = 0
    waited_s: float = 0.0
    busy_s: float = 0.0


def record_computed(
    operation: str, timing: Mapping[str, int], stages_ms: Mapping[str, float]
) -> None:
    """Record what the process computed, which has no exporter of its own.

    Args:
        operation: Name of the operation.
        timing: When it began and ended there, and the process's id.
        stages_ms: Milliseconds by stage.
    """
    attributes: dict[str, float] = {
        f"edgewright.stage.{stage}_ms": ms for stage, ms in stages_ms.items()
    }
    attributes["process.pid"] = timing["pid"]
    record(f"model {operation}", timing["began_ns"], timing["ended_ns"], attributes)
