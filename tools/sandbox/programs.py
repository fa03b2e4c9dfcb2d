"""The host's side of a sandboxed program: its command line, its argument and its faults."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.watcher import SandboxedProcess
from edgewright.tools.storage.documents import DocumentError, parse_json


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module in the sandbox.

    Args:
        module: Full name of a module that calls ``lock_down`` first.
        *arguments: Its arguments.
    """
    return [sys.executable, "-I", "-B", "-m", module, *arguments]


def program_argument(app: Path, limits: SandboxLimits, **extra: object) -> str:
    """Return the JSON argument of a program in the sandbox."""
    return json.dumps({"app": str(app), "limits": limits.model_dump(), "extra": extra})


def read_answer(line: str | None) -> dict[str, Any]:
    """Return the JSON object that a sandboxed program printed; empty if the line is no object."""
    with suppress(DocumentError):
        if isinstance(answer := parse_json(line or ""), dict):
            return answer
    return {}


def fault_from(last_line: str | None, process: SandboxedProcess) -> Fault:
    """Return the reason why a sandboxed program gave no result.

    Args:
        last_line: The last line it printed, which is untrusted; None if there was none.
        process: The process, after it has ended.
    """
    if process.ended_by is not None:
        return Fault(code=process.ended_by, message=_LIMITS[process.ended_by])
    try:
        return Fault.model_validate(read_answer(last_line).get("fault"))
    except ValidationError:
        return Fault(
            code="killed",
            message=f"the process exited with status {process.status} and no result; its last "
            f"error output was {process.errors[-300:]!r}",
        )


_LIMITS: dict[str, str] = {
    "timeout": "the time limit was exceeded; use a smaller model, fewer rounds or fewer epochs",
    "memory": "the memory limit was exceeded; use a smaller model or a smaller batch",
    "disk": "the disk limit was exceeded; write less to the scratch folder",
}
