"""Shared code of the sandboxed programs: start-up and fault reports."""

from __future__ import annotations

import json
import logging
import sys
import tomllib
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.records.candidate import SIGNATURES
from edgewright.tools.federated.sandboxed.light_torch import import_torch
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.sandbox.faults import Fault, FaultCode
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.lockdown import lock_down

_MESSAGE_LENGTH = 500


class FaultError(Exception):
    """Carries a fault that a program detected itself."""

    def __init__(self, code: FaultCode, message: str, slot: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(code=code, message=message, slot=slot)


@dataclass(frozen=True)
class ProgramContext:
    """The context of a program, from its argument.

    Attributes:
        app: Folder of the generated app.
        settings: The app's settings, with paths as seen in the sandbox.
        extra: Additional values for a specific program.
    """

    app: Path
    settings: AppSettings
    extra: dict[str, Any]


def start_program() -> ProgramContext:
    """Lock this process down, import PyTorch and make the app importable; must be called first."""
    argument = json.loads(sys.argv[1])
    limits = SandboxLimits.model_validate(argument["limits"])
    lock_down(
        memory_bytes=limits.memory_bytes,
        file_bytes=limits.disk_bytes,
        open_files=limits.open_files,
    )
    keep_freed_memory()
    import_torch()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    app = Path(argument["app"])
    sys.path.insert(0, str(app))
    config = tomllib.loads((app / "pyproject.toml").read_text("utf-8"))
    settings = AppSettings.read(config["tool"]["flwr"]["app"]["config"])
    return ProgramContext(app=app, settings=settings, extra=argument.get("extra", {}))


def fault_of(error: BaseException) -> Fault:
    """Convert an exception to a fault, with its location in a slot."""
    if isinstance(error, FaultError):
        return error.fault
    slot, line = _slot_location(error.__traceback__)
    code: FaultCode = "memory" if isinstance(error, MemoryError) else "raised"
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    return Fault(code=code, message=message[:_MESSAGE_LENGTH], slot=slot, line=line)


def respond(**values: object) -> None:
    """Print one JSON line for the host."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _slot_location(trace: TracebackType | None) -> tuple[str, int]:
    """Return slot and line of the deepest frame in a slot."""
    slot, line = "", 0
    for frame, number in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.parent.name == "slots" and path.stem in SIGNATURES:
            slot, line = path.stem, number
    return slot, line
