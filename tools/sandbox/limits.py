"""Limits on what one sandboxed run may use."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SandboxLimits(BaseModel):
    """What one sandboxed run may use.

    Attributes:
        time_s: Seconds on the clock.
        memory_bytes: Memory of all its processes.
        disk_bytes: What may lie in its scratch folder.
        processes: Processes at one time.
        open_files: File descriptors of each process.
        output_bytes: What may come on standard output and error; the rest is dropped.
        parameters: Weights that a model may have.
    """

    model_config = ConfigDict(frozen=True)

    time_s: float = Field(default=600.0, gt=0)
    memory_bytes: int = 4_000_000_000
    disk_bytes: int = 2_000_000_000
    processes: int = 4
    open_files: int = 512
    output_bytes: int = 200_000
    parameters: int = 30_000_000
