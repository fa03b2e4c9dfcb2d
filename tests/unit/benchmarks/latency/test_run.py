"""Tables and figures of the sweep over the link's rate, and of the link that jumps."""

import json
from pathlib import Path

import pytest

from edgewright.benchmarks.latency import run


def test_the_sweep_and_the_steps_are_reported(tmp_path: Path) -> None:
    swept = [
        {
            "rate_kb_per_s": rate,
            "times_ms": {"policy": [90.0, 110.0], "b": [200.0], "a": [best]},
            "twins_ms": {"free": [100.0, 150.0, 125.0], "fixed": [100.0]},
        }
        for rate, best in ((50.0, 80.0), (400.0, 125.0))
    ]
    run._report_sweep(swept, tmp_path)
    figures = json.loads((tmp_path / "latency.json").read_text("utf-8"))
    assert figures["policy_over_best"] == [1.25, 0.8]
    assert figures["policy_over_best_alike"] == pytest.approx([1.0, 0.64])
    lines = (tmp_path / "latency.md").read_text("utf-8").splitlines()
    assert lines[2] == "| median ms at | 50 KB/s | 400 KB/s |"
    assert lines[4] == "| policy | 100 | 100 |"
    requests = [{"rate_kb_per_s": 50.0, "ms": 10.0 * n, "arm": "a"} for n in (1, 2)]
    run._report_steps(requests, tmp_path)
    assert "| 2 | 50 | a | 20 |" in (tmp_path / "latency-steps.md").read_text("utf-8")
