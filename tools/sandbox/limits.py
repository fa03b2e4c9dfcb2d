"""Resource limits of a sandboxed run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SandboxLimits(BaseModel):
    """Resource limits of one sandboxed run.

    Attributes:
        time_s: Maximum wall-clock time.
        memory_bytes: Maximum memory of all its processes.
        disk_bytes: Maximum size of its scratch folder.
        processes: Maximum number of concurrent processes.
        open_files: Maximum number of file descriptors per process.
        output_bytes: Maximum bytes on standard output and error; more is discarded.
        parameters: Maximum number of weights of a model.
    """

    model_config = ConfigDict(frozen=True)

    time_s: float = Field(default=600.0, gt=0)
    memory_bytes: int = 4_000_000_000
    disk_bytes: int = 2_000_000_000
    processes: int = 4
    open_files: int = 512
    output_bytes: int = 200_000
    parameters: int = 30_000_000
