"""The node's log: one JSON object per line, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

from edgewright.tools.tracing import request_id, trace_id

#: Number of log lines of one kind a minute; more are counted, and the next one says how many.
REPEATS = 30
_WINDOW_S = 60.0


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON.

    A line that is logged for a request names it and its trace; ``extra={"fields": {...}}`` adds
    more to a line.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if identity := request_id():
            line["request"] = identity
        if trace := trace_id():
            line["trace"] = trace
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class RepeatFilter(logging.Filter):
    """Leaves out lines once there are many of their kind, so that no caller can fill a disk.

    A line's kind is the place in the code that logs it, and what ``extra={"kind": ...}`` adds.
    """

    def __init__(self) -> None:
        super().__init__()
        #: By kind: when its window began, and the number of lines since.
        self._windows: dict[Hashable, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        kind = (record.pathname, record.lineno, getattr(record, "kind", None))
        began, lines = self._windows.get(kind, (record.created, 0))
        left_out = 0
        if record.created - began >= _WINDOW_S:
            left_out = max(0, lines - REPEATS)
            began, lines = record.created, 0
        self._windows[kind] = (began, lines + 1)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more like it were left out)"
            record.args = ()
        return lines < REPEATS


def log_to_stderr() -> None:
    """Log to standard error, from level INFO upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # httpx would log every call to the peer.
    logging.getLogger("httpx").setLevel(logging.WARNING)
