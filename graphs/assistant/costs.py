"""What an answer cost, in words, for a person who asks afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.responder.result import TaskResult
from edgewright.tools.units import joules, seconds, size


def spent(results: Sequence[TaskResult]) -> str:
    """Return what the tasks of a turn cost together; empty if none was run."""
    reports = [result.report for result in results if result.report is not None]
    if not reports:
        return ""
    took_s = sum(sum(report.stages_ms.values()) for report in reports) / 1000
    up, down = (sum(getattr(r, name) for r in reports) for name in ("bytes_up", "bytes_down"))
    nodes = list(dict.fromkeys(node for report in reports for node in report.nodes))
    energy_j = sum(report.energy_j for report in reports)
    said = [f"The last answer took {seconds(took_s)} of computing and sending"]
    said += [f"sent {size(up)} and received {size(down)}" if up else "sent nothing to other nodes"]
    said += [f"cost the device {joules(energy_j)}"] if energy_j else []
    where = f"; it ran on {' and '.join(nodes)}" if nodes else ""
    return f"{', '.join(said[:-1])} and {said[-1]}{where}."
