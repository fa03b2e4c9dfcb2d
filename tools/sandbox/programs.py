"""The host's side of a sandboxed program: command, orders, and the fault if there is no result."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.watcher import Confined


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module in the sandbox.

    Args:
        module: Full name of a module whose first act is ``lock_down``.
        *arguments: Its arguments.
    """
    return [sys.executable, "-I", "-B", "-m", module, *arguments]


def orders_for(app: Path, limits: SandboxLimits, **extra: object) -> str:
    """Return the one argument that a program inside the sandbox takes."""
    return json.dumps({"app": str(app), "limits": limits.model_dump(), "extra": extra})


def fault_from(said: str | None, confined: Confined) -> Fault:
    """Say why a sandboxed program gave no result.

    Args:
        said: Its last line, not to be trusted; None if there was none.
        confined: The program, after its end.
    """
    if confined.ended_by is not None:
        return Fault(code=confined.ended_by, message=_LIMITS[confined.ended_by])
    try:
        return Fault.model_validate(json.loads(said or "")["fault"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Fault(
            code="killed",
            message=f"the process ended with status {confined.status} and no result; its last "
            f"words were {confined.errors[-300:]!r}",
        )


_LIMITS: dict[str, str] = {
    "timeout": "the time limit passed; use a smaller model, fewer rounds or fewer local epochs",
    "memory": "the memory limit was reached; use a smaller model or a smaller batch",
    "disk": "more was written than the scratch folder may hold",
}
