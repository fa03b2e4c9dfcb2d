"""What all programs inside the sandbox share: how they start and how they report a fault."""

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
    """Carries a fault that a program found itself."""

    def __init__(self, code: FaultCode, message: str, slot: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(code=code, message=message, slot=slot)


@dataclass(frozen=True)
class Start:
    """A program's orders.

    Attributes:
        app: Folder of the written app.
        settings: Its settings, with the paths as they are in here.
        extra: What one program needs beside these.
    """

    app: Path
    settings: AppSettings
    extra: dict[str, Any]


def start() -> Start:
    """Lock this process down, import torch, then make the app importable; nothing comes before."""
    orders = json.loads(sys.argv[1])
    limits = SandboxLimits.model_validate(orders["limits"])
    lock_down(
        memory_bytes=limits.memory_bytes,
        file_bytes=limits.disk_bytes,
        open_files=limits.open_files,
    )
    keep_freed_memory()
    import_torch()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    app = Path(orders["app"])
    sys.path.insert(0, str(app))
    config = tomllib.loads((app / "pyproject.toml").read_text("utf-8"))
    settings = AppSettings.read(config["tool"]["flwr"]["app"]["config"])
    return Start(app=app, settings=settings, extra=orders.get("extra", {}))


def fault_of(error: BaseException) -> Fault:
    """Describe what was raised, and where in a slot."""
    if isinstance(error, FaultError):
        return error.fault
    slot, line = _place(error.__traceback__)
    code: FaultCode = "memory" if isinstance(error, MemoryError) else "raised"
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    return Fault(code=code, message=message[:_MESSAGE_LENGTH], slot=slot, line=line)


def say(**values: object) -> None:
    """Print one JSON line for the host."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _place(trace: TracebackType | None) -> tuple[str, int]:
    """Find the deepest frame that lies in a slot."""
    slot, line = "", 0
    for frame, number in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.parent.name == "slots" and path.stem in SIGNATURES:
            slot, line = path.stem, number
    return slot, line
