"""Lines of the node's log."""

import json
import logging
from datetime import UTC, datetime

from edgewright.edge_runtime.logs import JsonFormatter


def test_times_carry_a_zone() -> None:
    record = logging.makeLogRecord({"msg": "started", "created": 1_790_000_000.25})
    time = datetime.fromisoformat(json.loads(JsonFormatter().format(record))["time"])
    assert time == datetime.fromtimestamp(1_790_000_000.25, UTC)
    assert time.utcoffset() is not None
